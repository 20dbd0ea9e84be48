"""Keys of Home Assistant, as ``config_keys.py`` has those of the bedside."""

from typing import Annotated

from msgspec import Meta, Struct

HomeSensor = Annotated[str, Meta(pattern=r"^$|^sensor\.[a-z0-9_]+$")]
HomeSign = Annotated[str, Meta(pattern=r"^(binary_sensor|input_boolean|light|media_player|switch)\.[a-z0-9_]+$")]
HomeLit = Annotated[str, Meta(pattern=r"^(light|switch)\.[a-z0-9_]+$")]


class HomeAssistant(Struct, frozen=True, forbid_unknown_fields=True):
    """Asking Home Assistant what MQTT cannot tell. Optional."""

    url: Annotated[
        str | None, Meta(description="Address of its API.", examples=["http://homeassistant.local:8123"])
    ] = None
    token_file: Annotated[
        str | None,
        Meta(description="A file with a long-lived access token.", examples=["/etc/somnisphere/home-assistant-token"]),
    ] = None
    ai_task: Annotated[
        str | None,
        Meta(
            description="Who may write for the dreams' page; what it is told may leave the house, as you set it up.",
            examples=["ai_task.local"],
        ),
    ] = None
    fire_events: Annotated[
        bool, Meta(description="Put each sleep moment on the home's bus, too, as the event somnisphere_moment.")
    ] = False
    still_up: Annotated[
        tuple[HomeSign, ...],
        Meta(description='What is on while somebody is up, as ["binary_sensor.kitchen_motion", "media_player.tv"].'),
    ] = ()
    begin_waits_min: Annotated[
        float,
        Meta(ge=0, le=240, description="An evening that begins by itself waits so long at most while somebody is up."),
    ] = 0.0
    bedroom_light_level: Annotated[
        HomeSensor, Meta(description="A light sensor in the bedroom, as sensor.bedroom_illuminance. Empty: none.")
    ] = ""
    dark_below_lx: Annotated[float, Meta(ge=0.1, le=1000, description="The bedroom is dark below so many lux.")] = 5.0
    bedroom_lights: Annotated[
        tuple[HomeLit, ...], Meta(description='The bedroom is not dark while one of them is on, as ["light.ceiling"].')
    ] = ()
