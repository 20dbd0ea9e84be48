"""The first run as a conversation: every question and deed fed by hand, no terminal and no world."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pi.setup.scripted import MOTION, PULSE, WELL, Person, World, run

from somnisphere.config import Config
from somnisphere.config_keys import Button, Lamp, Mqtt, Speaker
from somnisphere.config_keys_home import HomeAssistant
from somnisphere.doctor.finding import Finding
from somnisphere.setup.ask_broker import place_of
from somnisphere.setup.deeds import (
    BrokerAnswer,
    BrokerPlace,
    GreetBroker,
    GreetHome,
    LightLamp,
    Neighbourhood,
    PlaySound,
    Press,
    SeenBus,
    SeenChip,
    Sounds,
    WaitForPress,
    Write,
    Written,
)
from somnisphere.setup.dialogue import ANSWERABLE, setup_dialogue
from somnisphere.setup.draft import Present
from somnisphere.setup.questions import NotUnderstoodError, Offer, Question, understood
from somnisphere.setup.shells import Unattended, hold

NOBODY = BrokerAnswer("place", "nothing listens there")
REFUSED = BrokerAnswer("login", "refuses us")
NO_TRUST = BrokerAnswer("tls", "signed by nobody whom this box knows")
MOMENTARY = {"lamp.seen", "lamp.again", "button.again", "speaker.heard", "speaker.again", "mqtt.again"} | {
    "home_assistant.again",
    "box.time_is_right",
}
"""Questions about what a person saw, which no file of answers can know."""


def present(**sections: msgspec.Struct) -> Present:
    named = frozenset(f"{name}.{key}" for name, part in sections.items() for key in part.__struct_fields__)
    return Present(msgspec.structs.replace(Config(), **sections), named, has_file=True)


# ---- Enter alone -----------------------------------------------------------------------------------------------------


def test_enter_alone_ends_with_the_defaults_and_no_medical_device() -> None:
    person, world = Person(), World()
    draft = run(world, person)
    assert draft is not None
    assert draft.changes() == {}
    assert draft.new_secrets == {}
    assert "not a medical device" in person.read[0]
    assert "Nothing is missing." in person.read
    assert set(person.asked) <= {*ANSWERABLE, *MOMENTARY}


def test_enter_alone_ends_where_everything_is_missing_and_says_each_mend() -> None:
    world = World(
        around=Neighbourhood(problem="(the network cannot be asked)"),
        broker=[NOBODY],
        buses=(SeenBus(1, problem="I2C is not switched on: raspi-config"),),
        sounds=Sounds(problem="There is no mpv. mend: sudo apt install mpv"),
        findings=(Finding("broker", False, "nothing answers", "start one"), Finding("config", True, "fine")),
    )
    person = Person()
    draft = run(world, person)
    assert draft is not None
    assert draft.changes() == {}
    assert person.asked.count("mqtt.again") == 2, "tried once more, then it goes on without"
    assert "  broker: nothing answers\n      mend: start one" in person.read
    for words in ("raspi-config", "sudo apt install mpv", "nothing listens there", "the network cannot be asked"):
        assert words in person.text
    assert "config" not in person.text.split("What is missing")[1]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([NOBODY, REFUSED, NO_TRUST, WELL]), min_size=1, max_size=4),
    st.lists(st.sampled_from(["", "the pin is taken"]), min_size=1, max_size=3),
    st.lists(st.sampled_from([Press(True), Press(False, "no press")]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["", "no such device"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["", "the token is refused"]), min_size=1, max_size=3),
    st.booleans(),
)
def test_whatever_happens_enter_comes_to_an_end(
    broker: list[BrokerAnswer], lamp: list[str], press: list[Press], sound: list[str], home: list[str], own: bool
) -> None:
    world = World(broker=broker, lamp=lamp, press=press, sound=sound, home=home)
    before = present(
        lamp=Lamp(pin=18),
        button=Button(pin=17),
        mqtt=Mqtt(host="hub", username="bed"),
        home_assistant=HomeAssistant(url="http://hub:8123", token_file="/x/token"),
    )
    secrets = {"home_assistant.token": "t", "mqtt.password": "p"}
    before = Present(before.config, before.named, secrets, has_file=own)
    draft = run(world, Person(), before)
    assert draft is None if own else (draft is not None and draft.changes() == {})


def test_run_again_with_enter_nothing_changes_and_nothing_is_written() -> None:
    before = present(lamp=Lamp(pin=18), button=Button(pin=17), speaker=Speaker(ao="pulse", device="pulse/hdmi"))
    person = Person()
    assert run(World(), person, before) is None
    assert "Nothing changes in /x/somnisphere.toml." in person.text
    shown = {question.key: question.default for question in person.questions}
    assert (shown["lamp.pin"], shown["button.pin"], shown["speaker.device"]) == ("18", "17", "pulse/hdmi")


# ---- the broker ------------------------------------------------------------------------------------------------------


def test_a_wrong_password_is_asked_anew_and_nothing_else() -> None:
    world = World(broker=[REFUSED, WELL])
    lines: dict[str, str | list[str]] = {
        "mqtt.host": "192.168.1.5",
        "mqtt.username": "bed",
        "mqtt.password": ["wrong", "right"],
    }
    person = Person(lines)
    draft = run(world, person)
    assert draft is not None
    assert [greeting.password for greeting in world.deeds(GreetBroker)] == ["wrong", "right"]
    assert draft.new_secrets == {"mqtt.password": "right"}
    assert draft.changes() == {"mqtt": {"host": "192.168.1.5", "username": "bed"}}
    assert (person.asked.count("mqtt.host"), person.asked.count("mqtt.tls")) == (1, 1)
    assert "right" not in person.text
    assert "Without TLS anybody in this network can read that password" in person.text
    assert "right" not in repr(world.deeds(GreetBroker))


def test_a_certificate_that_nobody_knows_asks_for_its_authority() -> None:
    world = World(broker=[NO_TRUST, WELL])
    person = Person({"mqtt.host": "hub:8883", "mqtt.ca_file": ["", "/home/pi/ca.crt"]})
    draft = run(world, person)
    assert draft is not None
    assert draft.changes() == {"mqtt": {"host": "hub", "port": 8883, "tls": True, "ca_file": "/home/pi/ca.crt"}}
    assert person.asked.count("mqtt.username") == 1


def test_the_first_that_announces_itself_is_offered_and_a_configured_one_stays() -> None:
    found = (BrokerPlace("hub.local", 8883, True, "hub"), BrokerPlace("other.local", 1884, False, "other"))
    draft = run(World(around=Neighbourhood(found)), Person())
    assert draft is not None
    assert draft.changes() == {"mqtt": {"host": "hub.local", "port": 8883, "tls": True}}
    typed = Person({"mqtt.host": "other.local", "mqtt.port": "1900"})
    named = run(World(around=Neighbourhood(found)), typed)
    assert named is not None
    assert named.changes() == {"mqtt": {"host": "other.local", "port": 1900}}, "what is typed goes before what is found"
    second = run(World(around=Neighbourhood(found)), Person({"mqtt.host": "2"}))
    assert second is not None
    assert second.changes() == {"mqtt": {"host": "other.local", "port": 1884}}
    assert run(World(around=Neighbourhood(found)), Person(), present(mqtt=Mqtt(host="mine"))) is None


def test_two_bedsides_of_one_name_are_told_apart() -> None:
    world = World(broker=[BrokerAnswer("", "in", ("bedside", "bedside_2"))])
    draft = run(world, Person())
    assert draft is not None
    assert draft.changes() == {"box": {"node": "bedside_3"}}
    assert run(World(broker=[BrokerAnswer("", "in", ("bedside",))]), Person(), present(mqtt=Mqtt())) is None, (
        "that is this one"
    )


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("hub", ("hub", None)),
        ("hub:1884", ("hub", 1884)),
        ("fe80::1", ("fe80::1", None)),
        ("[fe80::1]:8883", ("fe80::1", 8883)),
        ("[fe80::1]", ("fe80::1", None)),
        ("hub:mqtt", ("hub:mqtt", None)),
    ],
)
def test_places(typed: str, place: tuple[str, int | None]) -> None:
    assert place_of(typed) == place


# ---- the box ---------------------------------------------------------------------------------------------------------


def test_the_sensor_is_found_on_another_bus() -> None:
    broken = SeenChip("motion", "what answers at 0x68 is a clock", False)
    buses = (SeenBus(1, (broken,)), SeenBus(3, (PULSE, MOTION)), SeenBus(20, problem="no plain I2C"))
    person = Person()
    draft = run(World(buses=buses), person)
    assert draft is not None
    assert draft.changes() == {"sensor": {"bus": 3}}
    for line in (
        "  bus 1: what answers at 0x68 is a clock",
        "  bus 1: no pulse sensor answers",
        "  bus 3: LIS3DH (motion)",
    ):
        assert line in person.read
    assert "bus 20" not in person.text, "a screen's cable is no news"


def test_the_pulse_goes_before_movement_which_alone_tells_no_stages() -> None:
    draft = run(World(buses=(SeenBus(1, (MOTION,)), SeenBus(2, (PULSE,)), SeenBus(3, (MOTION,)))), Person())
    assert draft is not None
    assert draft.changes() == {"sensor": {"bus": 2}}


def test_a_lamp_that_nobody_saw_gets_another_pin() -> None:
    world = World(lamp=["The lamp on GPIO 12 cannot be used: busy.", ""])
    lines: dict[str, str | list[str]] = {
        "lamp.pin": ["12", "13", "18"],
        "lamp.seen": ["n", "y"],
        "lamp.again": ["2", "2"],
    }
    draft = run(world, Person(lines))
    assert draft is not None
    assert [deed.pin for deed in world.deeds(LightLamp)] == [12, 13, 18]
    assert draft.changes() == {"lamp": {"pin": 18}}


@pytest.mark.parametrize(("typed", "words"), [("17", "the button's"), ("28", "0 to 27"), ("p18", "no GPIO number")])
def test_a_pin_that_cannot_be(typed: str, words: str) -> None:
    with pytest.raises(NotUnderstoodError, match=words):
        run(World(), Person({"lamp.pin": typed}), present(button=Button(pin=17)))


def test_a_press_that_does_not_come_is_said_and_the_pin_taken_out() -> None:
    world = World(press=[Press(False, "No press came")])
    lines: dict[str, str | list[str]] = {"button.pin": ["", "-"], "button.again": ["2"]}
    person = Person(lines)
    draft = run(world, person, present(button=Button(pin=17)))
    assert draft is not None
    assert "  No press came" in person.read
    assert draft.changes() == {"button": {"pin": None}}
    assert len(world.deeds(WaitForPress)) == 1


def test_a_sound_that_nobody_heard_gets_another_device() -> None:
    world = World()
    lines: dict[str, str | list[str]] = {
        "speaker.heard": ["n", "y"],
        "speaker.again": ["2"],
        "speaker.device": ["", "2"],
    }
    draft = run(world, Person(lines))
    assert draft is not None
    assert draft.changes() == {"speaker": {"device": "alsa/plughw:CARD=Box"}}
    assert [deed.device for deed in world.deeds(PlaySound)] == ["", "alsa/plughw:CARD=Box"]
    other = World(sounds=Sounds((Offer("pulse", "Default (pulse)"),)))
    draft = run(other, Person({"speaker.device": "1"}))
    assert draft is not None
    assert draft.changes() == {"speaker": {"ao": "pulse"}}, "an output alone is its default device"


def test_what_the_home_lends_is_not_tried_as_a_pin() -> None:
    before = present(
        lamp=Lamp(home_light="light.bed"),
        speaker=Speaker(home_player="media_player.bed"),
        home_assistant=HomeAssistant(url="http://hub:8123", token_file="/x/token"),
    )
    before = Present(before.config, before.named, {"home_assistant.token": "t"}, has_file=True)
    person = Person()
    assert run(World(), person, before) is None
    assert not {"lamp.pin", "speaker.test"} & set(person.asked)
    assert "light.bed" in person.text


# ---- the home --------------------------------------------------------------------------------------------------------


def test_home_assistant_without_a_token_is_left_to_mqtt() -> None:
    person = Person()
    draft = run(World(around=Neighbourhood(homes=("http://ha.local:8123",))), person)
    assert draft is not None
    assert draft.changes() == {}
    assert "Without a token it is reached over MQTT alone." in person.text


def test_a_token_is_tried_and_another_one_taken() -> None:
    world = World(around=Neighbourhood(homes=("http://ha.local:8123",)), home=["it does not accept the token", ""])
    lines: dict[str, str | list[str]] = {"home_assistant.token": ["old", "new"], "home_assistant.again": ["2"]}
    draft = run(world, Person(lines))
    assert draft is not None
    assert draft.changes() == {"home_assistant": {"url": "http://ha.local:8123"}}
    assert draft.new_secrets == {"home_assistant.token": "new"}
    assert [deed.token for deed in world.deeds(GreetHome)] == ["old", "new"]


def test_home_assistant_is_taken_out() -> None:
    before = present(home_assistant=HomeAssistant(url="http://hub:8123", token_file="/x/token"))
    before = Present(before.config, before.named, {"home_assistant.token": "t"}, has_file=True)
    for lines in ({"home_assistant.url": "-"}, {"home_assistant.token": "-"}):
        draft = run(World(), Person(dict(lines)), before)
        assert draft is not None
        assert draft.changes() == {"home_assistant": {"url": None, "token_file": None}}


# ---- the end ---------------------------------------------------------------------------------------------------------


def test_no_is_no() -> None:
    world, person = World(), Person({"write": "n", "box.name": "Mia"})
    assert run(world, person) is None
    assert "Nothing was written." in person.text
    assert "  box.name = Mia" in person.read


def test_what_cannot_be_written_is_said_with_the_lines_to_paste() -> None:
    person = Person({"box.name": "Mia"})
    run(World(written=Written(problem="not safely edited:", by_hand=("[box]", 'name = "Mia"'))), person)
    assert person.read[-3:] == ["not safely edited:", "[box]", 'name = "Mia"']


def test_where_nobody_is_nothing_shines_and_nothing_sounds() -> None:
    world, said = World(broker=[REFUSED]), list[str]()
    answers = Unattended({"lamp.pin": "18", "mqtt.username": "bed", "mqtt.password": "secret-word"}, write=said.append)
    assert hold(setup_dialogue(Present(Config()), "x.toml"), answers, world.do) is True
    assert not world.deeds(LightLamp) + world.deeds(PlaySound)
    (written,) = world.deeds(Write)
    assert written.draft.changes() == {"lamp": {"pin": 18}, "mqtt": {"username": "bed"}}
    assert len(world.deeds(GreetBroker)) == 1, "what a file says is not said differently the second time"
    assert "secret-word" not in "\n".join(said)


def test_where_nobody_is_a_password_stays_whatever_it_is() -> None:
    before = Present(present(mqtt=Mqtt(username="bed")).config, frozenset(), {"mqtt.password": "none"}, has_file=True)
    world = World()
    assert hold(setup_dialogue(before, "x.toml"), Unattended({}, write=lambda _: None), world.do) is True
    assert [greeting.password for greeting in world.deeds(GreetBroker)] == ["none"]
    assert not world.deeds(Write)


# ---- a typed line ----------------------------------------------------------------------------------------------------


def test_what_a_line_means() -> None:
    yes_no = Question(key="x", text="?", kind="yes_no", default="yes")
    assert [understood(yes_no, line) for line in ("", "Y", "ja", " no ", "Nein")] == ["yes", "yes", "yes", "no", "no"]
    with pytest.raises(NotUnderstoodError, match="neither yes nor no"):
        understood(yes_no, "maybe")
    offers = Question(key="x", text="?", default="a", offers=(Offer("a", "A"), Offer("b", "B")), only_offers=True)
    assert [understood(offers, line) for line in ("", "2", "b")] == ["a", "b", "b"]
    with pytest.raises(NotUnderstoodError, match="1 to 2"):
        understood(offers, "3")
    optional = Question(key="x", text="?", default="a", optional=True)
    assert [understood(optional, line) for line in ("-", "none", "None", "b")] == ["", "", "", "b"]
