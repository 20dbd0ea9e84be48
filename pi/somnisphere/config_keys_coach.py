"""The keys of the configuration for sharing summaries with a coach. See ``config_keys.py``."""

from typing import Annotated

from msgspec import Meta, Struct


class Coach(Struct, frozen=True, forbid_unknown_fields=True):
    """A professional coach with whom summaries may be shared. Nothing is, before it is allowed on the house page."""

    key: Annotated[
        str, Meta(pattern=r"^[a-z0-9_]{0,32}$", description="The coach's name in topics, as told by them. Empty: none.")
    ] = ""
    name: Annotated[str, Meta(max_length=64, description="As people say it. Empty: the key.")] = ""
    host: Annotated[
        str, Meta(description="The coach's broker. Empty: the home's own, for one that is bridged to it.")
    ] = ""
    port: Annotated[int, Meta(ge=1, le=65535, description="8883 with TLS, or 1883.")] = 8883
    username: Annotated[str, Meta(description="As told by the coach. Empty: none.")] = ""
    password_file: Annotated[
        str | None,
        Meta(description="A file with the password in its first line.", examples=["/etc/somnisphere/coach-password"]),
    ] = None
    tls: Annotated[bool, Meta(description="Speak TLS to the coach's broker, trusting the system's certificates.")] = (
        True
    )
    ca_file: Annotated[
        str | None,
        Meta(description="Trust this certificate authority instead.", examples=["/etc/somnisphere/coach-ca.crt"]),
    ] = None
