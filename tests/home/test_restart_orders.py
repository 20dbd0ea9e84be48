"""Home Assistant, the broker and the box restarted one after the other, in each of the six orders, with all blueprints.

A household of its own: the others' broker and Home Assistant stay as they are. The box is a rehearsal at real time,
carried on after each kill from one journal; its story is being told all the while.
"""

import itertools
import shutil
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.home.client import wait_until
from tests.home.conftest import _missing
from tests.home.eight import Done, Eight
from tests.home.house import BEDROOM, BELL, DAWN, FLOOR, KITCHEN, NIGHT, PATH
from tests.home.release import RELEASE
from tests.home.restarts import GAP_S, HERE, OF_A_LOST_BROKER, TOPICS, Household

from somnisphere.entities_evening import MOMENT_ENTITY
from somnisphere_home.discovery import DeviceInfo, clear_message
from somnisphere_home.entity import Entity
from somnisphere_home.messages import Topics
from somnisphere_home.session import HomeSession

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

MOMENT_ID = f"event.bedside_{MOMENT_ENTITY}"
COUNTER = "automation.every_moment"
ORDERS = list(itertools.permutations(("home", "broker", "box")))

GUARD = {"not_from": "unavailable", "not_to": "unavailable"}
"""As integrations/README.md says: neither going away nor coming back is a moment."""

RUN = "{{ trigger.from_state.state if trigger.from_state else 'nothing' }} -> {{ trigger.to_state }}"
"""What made the automation run, for whoever reads why a test failed."""

COUNT_MOMENTS: dict[str, object] = {
    "id": "moments",
    "alias": "Every moment",
    "triggers": [{"trigger": "state", "entity_id": MOMENT_ID, **GUARD}],
    "actions": [{"action": "persistent_notification.create", "data": {"message": RUN}}],
}


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """The story has begun, every entity is enabled, the automation on the moments has run."""
    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash {RELEASE.installer}")
    folder = tmp_path_factory.mktemp("household")
    house = Household(folder)
    house.broker.start()
    house.home.lay_out()
    try:
        house.home.start()
        client = house.home.client
        client.add_mqtt(house.broker.port)
        house.home.put_automations([COUNT_MOMENTS])
        with house.broker.listening(TOPICS.trigger(MOMENT_ENTITY)) as listener:
            house.box.start("100")
            wait_until(lambda: len(client.device_entities(TOPICS.device_id)) == len(HERE), "our device", 60)
            wait_until(lambda: any(m.payload == b"story_began" for m in listener.received), "the story", 60)
        house.box.restart()
        client.enable_all(TOPICS.device_id)
        house.restart_home()  # sooner than its own half minute, after which it would load MQTT again
        assert house.settled() == []
        yield house
    finally:
        house.box.kill()
        house.home.stop()
        house.broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


def last_run(household: Household) -> object:
    """When the automation on the moments last ran; Home Assistant keeps it over restarts."""
    return (household.home.client.state(COUNTER) or {"attributes": {}})["attributes"].get("last_triggered")


@pytest.fixture(scope="module")
def eight(household: Household) -> Eight:
    """All blueprints at once. Each has acted, else it would prove nothing that it does not at restarts."""
    made = Eight(household)
    made.load([COUNT_MOMENTS])
    made.a_night()
    made.load([COUNT_MOMENTS], dawn=2)  # the first one's morning is over
    return made


def test_the_automation_runs_at_moments(household: Household) -> None:
    """Else it would prove nothing that it does not run at restarts."""
    assert last_run(household) is not None


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_after_each_order_every_state_is_right_and_no_blueprint_did_anything(
    household: Household, eight: Eight, order: Sequence[str]
) -> None:
    ran, after = last_run(household), eight.mark()
    phase_before = (household.home.client.state("sensor.bedside_phase") or {})["state"]
    for which in order:
        household.restart(which)
        time.sleep(GAP_S)
    assert household.settled() == []
    runs = [each["message"] for each in household.home.client.command("persistent_notification/get")]
    assert last_run(household) == ran, f"a restart is no moment: {runs}"
    assert (household.home.client.state("sensor.bedside_phase") or {})["state"] == phase_before == "story"
    eight.mark()
    assert eight.since(after) == {}


def test_after_all_of_them_each_blueprint_still_acts_once(eight: Eight) -> None:
    """And with the same settings as before: none of them was loaded again."""
    eight.a_night()


def test_what_a_restart_of_the_home_interrupts_does_not_stay_on(household: Household, eight: Eight) -> None:
    """Each is in the middle of its work. A dawn stays where it is and a quiet house quiet, as their texts say."""
    with household.box.frozen():
        interrupt(household, eight)
    household.box.restart()  # for it was silent long
    after = eight.mark()
    household.restart_home()
    eight.there()
    eight.comes_to(after, {})


def interrupt(household: Household, eight: Eight) -> None:
    eight.load([], dawn=3, slow=True)
    after = eight.mark()
    eight.in_bed(True)
    eight.quiet(True)
    eight.light_sleep()
    eight.say("story_began")
    eight.until(after, evening=3, quiet_house=2)
    for moment in ("left_bed", "fell_asleep", "stirred", "distress"):
        eight.say(moment)
    eight.in_bed(False)
    eight.until(after, evening=5, stirring=1, comfort=4, up_at_night=1, dawn=1, fell_asleep=2)
    after = eight.mark()
    household.restart_home()
    ended: Done = {
        "evening": [("media_player.media_pause", BEDROOM), ("media_player.volume_set", BEDROOM)],
        "stirring": [("light.turn_off", FLOOR)],
        "comfort": [("media_player.media_stop", KITCHEN), ("light.turn_off", NIGHT)],
        "up_at_night": [],
    }
    eight.there()
    eight.comes_to(after, ended)
    assert eight.states(PATH, DAWN, BELL) == ["on", "on", "on"], "nobody is back in bed yet"
    eight.in_bed(True)
    eight.quiet(False)
    eight.comes_to(after, ended | {"up_at_night": [("light.turn_off", PATH)]})


# ---- expiry --------------------------------------------------------------------------------------------------------

PULSE: Entity[dict[str, Any]] = Entity(
    key="pulse",
    platform="sensor",
    name="Pulse",
    group="pulse",
    value=lambda snapshot: snapshot["pulse"],
    unit="bpm",
    precision=0,
    state_class="measurement",
    expire_after_s=4,
)


def test_a_value_that_is_not_said_again_does_not_stay(household: Household) -> None:
    """Four seconds here, ten minutes in the product: the box still counts as online, its value no longer holds."""
    topics = Topics("short")
    session = HomeSession((PULSE,), topics, DeviceInfo(name="Short", sw_version="1"))
    broker, client = household.broker, household.home.client

    def pulse() -> str:
        return str((client.state("sensor.short_pulse") or {"state": "absent"})["state"])

    def send(at_s: float, bpm: float) -> None:
        messages = session.connected({"pulse": bpm}, at_s) if at_s == 0 else session.update({"pulse": bpm}, at_s)
        assert messages
        for message in messages:
            broker.publish(message.topic, message.payload, message.retain)

    send(0.0, 57.0)
    wait_until(lambda: pulse() != "absent", "the entity", 10)
    send(10.0, 58.0)
    said_s = time.monotonic()
    wait_until(lambda: pulse() == "58", "the value", 3)
    wait_until(lambda: pulse() != "58", "the value to expire", 10)
    assert 3.0 < time.monotonic() - said_s < 8.0
    assert pulse() == "unavailable", "so Home Assistant shows an expired value; null is what reads unknown"
    assert broker.retained(topics.status)[topics.status] == b"online"
    send(20.0, 59.0)
    wait_until(lambda: pulse() == "59", "the value to be back", 3)
    for topic in (clear_message(topics).topic, *broker.retained(f"{topics.base}/#")):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not client.device_entities(topics.device_id), "the device to go")


def test_nothing_was_complained_of_but_the_lost_broker(household: Household) -> None:
    trouble = [*household.home_trouble, *household.home.trouble()]
    ours = [entry for entry in trouble if not any(words in entry.text for words in OF_A_LOST_BROKER)]
    assert ours == [], "\n".join(map(str, ours))
    lost = [entry for entry in trouble if entry not in ours]
    assert not any("somnisphere" in entry.text or "bedside" in entry.text for entry in lost)
    assert household.home.client.complaints() == []
