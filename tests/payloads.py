"""Checks what goes over the wire against the schemas of the AsyncAPI document."""

import json
from collections.abc import Iterable

from jsonschema import Draft7Validator

from somnisphere.home_api import channels
from somnisphere_home.channels import Channel


class Payloads:
    """``fault`` of one message; "" when it is as the document says."""

    def __init__(self, declared: Iterable[Channel] | None = None) -> None:
        self._channels = list(channels() if declared is None else declared)
        self._validators: dict[str, Draft7Validator] = {}
        for channel in self._channels:
            Draft7Validator.check_schema(channel.schema)
            self._validators[channel.name] = Draft7Validator(
                channel.schema, format_checker=Draft7Validator.FORMAT_CHECKER
            )

    def channel(self, topic: str) -> Channel | None:
        return next((channel for channel in self._channels if channel.matches(topic)), None)

    def fault(self, topic: str, payload: bytes, *, retained: bool | None = None) -> str:
        channel = self.channel(topic)
        if channel is None:
            return f"{topic}: the document knows no such topic"
        if retained is not None and retained != channel.retained:
            return f"{topic}: {'' if retained else 'not '}retained, against the document"
        try:
            said = json.loads(payload) if channel.content_type == "application/json" else payload.decode()
        except ValueError as problem:
            return f"{topic}: {problem}"
        errors = sorted(self._validators[channel.name].iter_errors(said), key=str)
        return "" if not errors else f"{topic}: {errors[0].json_path}: {errors[0].message}"
