"""Every key of the configuration: its section, its range and its meaning. The example file is written from these."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Percent = Annotated[float, Meta(ge=0, le=100)]
Minutes = Annotated[float, Meta(ge=1, le=600)]
Gpio = Annotated[int, Meta(ge=0, le=27)]
Kelvin = Annotated[float, Meta(ge=1000, le=10000)]
OxygenOffset = Annotated[float, Meta(ge=50, le=200)]
OxygenSlope = Annotated[float, Meta(ge=-100, le=-1)]
BirthMonth = Annotated[str, Meta(pattern=r"^$|^(19|20)\d\d-(0[1-9]|1[0-2])$")]
HomeLight = Annotated[str, Meta(pattern=r"^$|^light\.[a-z0-9_]+$")]
HomePlayer = Annotated[str, Meta(pattern=r"^$|^media_player\.[a-z0-9_]+$")]
HomeSpeech = Annotated[str, Meta(pattern=r"^$|^tts\.[a-z0-9_]+$")]
ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Box(Struct, frozen=True, forbid_unknown_fields=True):
    """This bedside."""

    node: Annotated[
        str,
        Meta(pattern=r"^[a-z0-9_]{1,32}$", description="Short name in MQTT topics and entity ids; one per bedside."),
    ] = "bedside"
    name: Annotated[str, Meta(min_length=1, max_length=64, description="What people call it.")] = "Somnisphere"
    language: Annotated[Literal["en", "de"], Meta(description="Of the entities' names in the home.")] = "en"


class Sleeper(Struct, frozen=True, forbid_unknown_fields=True):
    """Who sleeps here."""

    name: Annotated[
        str,
        Meta(max_length=64, description="Shown in the home as a device beside the box. Empty: no such device."),
    ] = ""

    born: Annotated[
        BirthMonth,
        Meta(description="Year and month of birth, as 2019-05; below one year no stages are guessed. Empty: an adult."),
    ] = ""

    tell_first: Annotated[
        bool,
        Meta(description="The home and the commands show nothing of a night before its sleeper has told or opened it."),
    ] = False


class Sensor(Struct, frozen=True, forbid_unknown_fields=True):
    """The chips on the I2C bus."""

    bus: Annotated[int, Meta(ge=0, le=255, description="Number of the bus: 1 is /dev/i2c-1.")] = 1
    pulse_rate_hz: Annotated[Literal[50, 100], Meta(description="Samples of light per second.")] = 50
    motion_rate_hz: Annotated[Literal[25, 50], Meta(description="Samples of motion per second.")] = 25
    led_cap_ma: Annotated[float, Meta(ge=1, le=50, description="No LED current goes above this, in milliampere.")] = (
        25.0
    )
    swap_leds: Annotated[bool, Meta(description="For boards whose red and infrared are exchanged.")] = False
    oxygen_offset_pct: Annotated[
        OxygenOffset | None, Meta(description="SpO2 of this unit is this ...", examples=[104.0])
    ] = None
    oxygen_slope_pct: Annotated[
        OxygenSlope | None,
        Meta(
            description="... plus this times the ratio of ratios; both from `somnisphere calibrate oxygen`.",
            examples=[-17.0],
        ),
    ] = None
    oxygen_calibrated: Annotated[
        str, Meta(description="Against what the oxygen of this unit was calibrated, and when. Empty: it was not.")
    ] = ""


class Lamp(Struct, frozen=True, forbid_unknown_fields=True):
    """The lamp on a PWM pin."""

    pin: Annotated[Gpio | None, Meta(description="GPIO number (BCM); without it there is no lamp.", examples=[18])] = (
        None
    )
    hardware_pwm: Annotated[
        bool, Meta(description="Use the kernel's PWM: finer in the dark, needs a dtoverlay (see hardware/README.md).")
    ] = False
    cold_pin: Annotated[
        Gpio | None,
        Meta(description="GPIO number of a second, colder white; pin is the warm one then.", examples=[13]),
    ] = None
    warm_k: Annotated[Kelvin, Meta(description="Colour temperature of the warm LED, in kelvin, as printed on it.")] = (
        1800.0
    )
    cold_k: Annotated[Kelvin, Meta(description="Colour temperature of the cold LED.")] = 2700.0
    evening_k: Annotated[Kelvin, Meta(description="Colour of the evening's light, from lightness 50 up.")] = 2700.0
    night_k: Annotated[
        Kelvin,
        Meta(description="Colour of the last light, from lightness 5 down; no warmer than the warm LED."),
    ] = 1800.0
    home_light: Annotated[
        HomeLight,
        Meta(description="A light of Home Assistant in place of the pin, as light.bedroom. Empty: none."),
    ] = ""
    home_light_floor_pct: Annotated[
        Percent, Meta(description="The least brightness at which that light still shines; below it, it is off.")
    ] = 1.0


class Button(Struct, frozen=True, forbid_unknown_fields=True):
    """The button: tap to begin or for one more page, double to pause, hold to stop."""

    pin: Annotated[
        Gpio | None, Meta(description="GPIO number (BCM); without it there is no button.", examples=[17])
    ] = None


class Cards(Struct, frozen=True, forbid_unknown_fields=True):
    """The reader for story cards."""

    reader: Annotated[
        str,
        Meta(
            pattern=r"^(none|pn532|/.+)$",
            description="none, pn532 (on I2C), or the input device of a reader that types: /dev/input/by-id/...",
        ),
    ] = "none"
    bus: Annotated[
        Annotated[int, Meta(ge=0, le=255)] | None,
        Meta(description="I2C bus of the pn532; without it the sensors' one (see hardware/README.md).", examples=[3]),
    ] = None
    story_begins: Annotated[
        bool, Meta(description="A story's card begins the evening, too; else it only chooses the story.")
    ] = True
    lift_pauses: Annotated[bool, Meta(description="Taking the story's card off pauses the story.")] = False


class Speaker(Struct, frozen=True, forbid_unknown_fields=True):
    """Where stories are heard, through mpv."""

    home_player: Annotated[
        HomePlayer,
        Meta(description="A media player of Home Assistant, as media_player.bedroom. Empty: this box's own speaker."),
    ] = ""
    ao: Annotated[str, Meta(description="mpv's audio output: alsa, pipewire, pulse, or null for silence.")] = "alsa"
    device: Annotated[str, Meta(description="mpv's audio device; empty is the default one.")] = ""
    volume_pct: Annotated[Percent, Meta(description="The volume on the very first evening.")] = 50.0
    volume_floor_pct: Annotated[Percent, Meta(description="Nobody sets it lower than this.")] = 5.0
    volume_ceiling_pct: Annotated[Percent, Meta(description="Nobody sets it higher than this.")] = 80.0
    night_ceiling_pct: Annotated[
        Percent, Meta(description="A story asked for in the night, after sleep, is not louder than this.")
    ] = 40.0


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True):
    """The broker of the home."""

    host: Annotated[str, Meta(min_length=1, description="Name or address.")] = "localhost"
    port: Annotated[int, Meta(ge=1, le=65535, description="1883, or 8883 with TLS.")] = 1883
    username: Annotated[str, Meta(description="Empty: none.")] = ""
    password_file: Annotated[
        str | None,
        Meta(description="A file with the password in its first line.", examples=["/etc/somnisphere/mqtt-password"]),
    ] = None
    tls: Annotated[bool, Meta(description="Speak TLS, trusting the system's certificates.")] = False
    ca_file: Annotated[
        str | None,
        Meta(description="Trust this certificate authority instead.", examples=["/etc/somnisphere/ca.crt"]),
    ] = None
    discovery_prefix: Annotated[
        str,
        Meta(pattern=r"^[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*$", description="Home Assistant's discovery prefix."),
    ] = "homeassistant"
    discovery: Annotated[
        Literal["device", "single", "off"],
        Meta(description="device: announced whole. single: entity by entity, for other homes. off: not announced."),
    ] = "device"


class Listener(Struct, frozen=True, forbid_unknown_fields=True):
    """One who listens, where several do: one [[listener]] each. What is left out is as it is for all."""

    name: Annotated[str, Meta(min_length=1, max_length=64, description="As the home offers it.")] = "Mia"
    folder: Annotated[str, Meta(description="Only the stories below this folder of the shelf. Empty: all.")] = ""
    begin_at: Annotated[
        ClockTime | None, Meta(description="Their evening begins by itself at this time.", examples=["19:00"])
    ] = None
    volume_pct: Annotated[
        Percent | None, Meta(description="The volume on their very first evening.", examples=[40.0])
    ] = None
    volume_ceiling_pct: Annotated[
        Percent | None, Meta(description="Nobody sets it higher than this for them.", examples=[60.0])
    ] = None
    story_limit_min: Annotated[
        Minutes | None, Meta(description="So much story in one night at the most.", examples=[30.0])
    ] = None


class Ritual(Struct, frozen=True, forbid_unknown_fields=True):
    """How an evening goes."""

    begin_at: Annotated[
        ClockTime | None, Meta(description="Begin by itself at this time of day.", examples=["20:00"])
    ] = None
    wind_down_min: Annotated[float, Meta(ge=0, le=120, description="Light alone, before the story.")] = 5.0
    evening_light_pct: Annotated[Percent, Meta(description="Lightness (L*) when the evening begins.")] = 45.0
    story_light_pct: Annotated[Percent, Meta(description="Lightness (L*) during the story.")] = 20.0
    story_limit_min: Annotated[
        float, Meta(ge=1, le=600, description="So much story in one night at the most, whatever is pressed.")
    ] = 60.0
    follow_sleep: Annotated[
        bool, Meta(description="The story ends with sleep. False: with the sleep timer, whatever is known of sleep.")
    ] = True
    sleep_timer_min: Annotated[
        float, Meta(ge=1, le=600, description="The story ends after this when nothing is known about sleep.")
    ] = 30.0
    one_more_page_min: Annotated[float, Meta(ge=1, le=60, description="What one more page adds to the timer.")] = 10.0
    fade_min: Annotated[float, Meta(ge=1, le=60, description="Minutes from full loudness to silence.")] = 10.0
    sentence_pause_s: Annotated[
        float, Meta(ge=0, le=10, description="How much the pause between two sentences grows while the story fades.")
    ] = 2.5
    bookmark_margin_s: Annotated[
        float, Meta(ge=0, le=600, description="The next evening begins so many seconds before sleep came.")
    ] = 30.0


class Comfort(Struct, frozen=True, forbid_unknown_fields=True):
    """Comfort for uneasy sleep, a step at a time. It is a guess, never an alarm, and no medical device."""

    enabled: Annotated[bool, Meta(description="Off unless you turn it on; it begins after ten learned nights.")] = False
    glow_pct: Annotated[float, Meta(ge=0, le=0.9, description="Lightness (L*) of the glow; 0: no glow.")] = 0.8
    sound: Annotated[
        str | None,
        Meta(description="A sound that the sleeper chose, awake; without it, none.", examples=["/srv/sounds/rain.ogg"]),
    ] = None
    sound_volume_pct: Annotated[
        float, Meta(ge=0, le=15, description="Choose it by ear, below the room at night: the box does not listen.")
    ] = 5.0
    quiet_word: Annotated[
        bool, Meta(description="The last step: the moment quiet_word, for an automation that tells whoever is awake.")
    ] = True


class Stories(Struct, frozen=True, forbid_unknown_fields=True):
    """The shelf."""

    folder: Annotated[
        str | None,
        Meta(
            description="Your stories: audio, .txt, .md, .epub, .story; without it the starter stories are told.",
            examples=["/srv/stories"],
        ),
    ] = None
    cache: Annotated[
        str,
        Meta(
            description="What is worked out of them is kept here; empty: the service's cache folder, else "
            "~/.cache/somnisphere."
        ),
    ] = ""

    serve_host: Annotated[
        str, Meta(description="For speaker.home_player: the address stories are lent at; empty: every one of this box.")
    ] = ""
    serve_port: Annotated[int, Meta(ge=0, le=65535, description="Its port; 0: any free one.")] = 8124
    serve_url: Annotated[
        str,
        Meta(description="How the player reaches it, as http://192.168.1.5:8124; empty: by the way to Home Assistant."),
    ] = ""


class Voice(Struct, frozen=True, forbid_unknown_fields=True):
    """The voice that tells stories which are only words."""

    engine: Annotated[
        Literal["auto", "espeak", "piper", "wyoming", "home_assistant"],
        Meta(description="auto: the best that is set up below. espeak-ng speaks when the others cannot."),
    ] = "auto"
    wyoming_host: Annotated[
        str | None,
        Meta(description="Where Piper answers the Wyoming protocol.", examples=["homeassistant.local"]),
    ] = None
    wyoming_port: Annotated[int, Meta(ge=1, le=65535, description="Its port.")] = 10200
    home_engine: Annotated[
        HomeSpeech, Meta(description="A voice of Home Assistant's, as tts.piper; needs [home_assistant]. Empty: none.")
    ] = ""
    piper_voice: Annotated[
        str | None,
        Meta(
            description="A Piper voice on this box, its .onnx.json beside it.", examples=["/srv/voices/en_GB-alba.onnx"]
        ),
    ] = None
    words_per_minute: Annotated[float, Meta(ge=80, le=220, description="How fast it speaks; Wyoming has its own.")] = (
        125.0
    )


class Journal(Struct, frozen=True, forbid_unknown_fields=True):
    """Where nights are kept."""

    path: Annotated[
        str,
        Meta(description="One SQLite file; empty: in the service's state folder, else in ~/.local/share/somnisphere."),
    ] = ""


class Circle(Struct, frozen=True, forbid_unknown_fields=True):
    """Stories between households: `somnisphere circle`."""

    own_broker_port: Annotated[
        int,
        Meta(ge=0, le=65535, description="A mosquitto on this box for the circle alone; 0: the broker of the home."),
    ] = 0
    kilobytes_per_s: Annotated[
        float, Meta(ge=10, le=10000, description="No faster than this are stories sent to others.")
    ] = 200.0
