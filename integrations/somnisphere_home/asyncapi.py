"""The AsyncAPI 3.0 document of a device, from its channels (asyncapi.com/docs/reference/specification/v3.0.0). Pure."""

from collections.abc import Sequence
from typing import Any

from somnisphere_home.channels import Channel


def document(channels: Sequence[Channel], version: str, about: str) -> dict[str, Any]:
    """Operations are named from the box's side: it sends states and receives commands."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Somnisphere",
            "version": version,
            "description": about,
            "license": {"name": "GPL-3.0-or-later", "url": "https://www.gnu.org/licenses/gpl-3.0.html"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "household": {
                "host": "{host}",
                "protocol": "mqtt",
                "protocolVersion": "5.0",
                "description": "The household's own broker. MQTT 3.1.1 is spoken too.",
                "variables": {"host": {"default": "localhost:1883", "description": "Where the broker is."}},
            }
        },
        "channels": {channel.name: _channel(channel) for channel in channels},
        "operations": {f"{channel.action}_{channel.name}": _operation(channel) for channel in channels},
    }


def _channel(channel: Channel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "address": channel.address,
        "description": channel.about + (" Retained." if channel.retained else ""),
        "messages": {
            channel.name: {"name": channel.name, "contentType": channel.content_type, "payload": channel.schema}
        },
    }
    if "{node}" in channel.address:
        found["parameters"] = {"node": {"description": "Name of the box: box.node.", "default": "bedside"}}
    return found


def _operation(channel: Channel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }
    if channel.answered_by:
        name = channel.answered_by
        found["reply"] = {
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        }
    return found
