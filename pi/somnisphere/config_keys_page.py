"""Keys of the house page, as ``config_keys.py`` has those of the bedside."""

from typing import Annotated

from msgspec import Meta, Struct

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """The house page, served by `somnisphere page`."""

    host: Annotated[
        str,
        Meta(
            min_length=1,
            description="Address it is served at. 127.0.0.1 is this box alone; 0.0.0.0 is the house, and needs a PIN "
            "(somnisphere page pin).",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="Its port.")] = 8125
    hosts: Annotated[
        str,
        Meta(description="Further names it may be asked for under, with spaces between; addresses, single words and "
             "*.local always may."),
    ] = ""  # fmt: skip
    framed_by: Annotated[
        str,
        Meta(description="Whose dashboard may show it in a webpage card, as http://homeassistant.local:8123; empty: "
             "home_assistant.url."),
    ] = ""  # fmt: skip
    https: Annotated[
        bool,
        Meta(description="It is reached through a proxy that speaks https, and no other way: cookies are for https."),
    ] = False
    loopback_needs_pin: Annotated[
        bool, Meta(description="Ask for the PIN on this box, too: where a proxy on it asks for others.")
    ] = False
    latitude: Annotated[
        Latitude | None, Meta(description="Where the house is, for its sunset: degrees north ...", examples=[48.2])
    ] = None
    longitude: Annotated[
        Longitude | None,
        Meta(description="... and east. Without them the page is dark from 19:00 to 07:00.", examples=[16.37]),
    ] = None
