"""Every view of the dashboard on a phone, a tablet and a desk, by day and by night; and who is kept out of it.

A snapshot of ours stands for the box: nothing moves while it is looked at.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.home.broker import Broker
from tests.home.browser import Look, Shot, compress, look_at
from tests.home.client import wait_until
from tests.home.harness import ROOT, HomeAssistant
from tests.home.release import RELEASE
from tests.home.test_entities_in_home_assistant import EVERYTHING

from somnisphere.covers import to_svg
from somnisphere.entities import ENTITIES, NIGHT_ENTITY
from somnisphere.entities_evening import COVER_ENTITY
from somnisphere.entities_house import SOMETIMES
from somnisphere_home.discovery import DeviceInfo, clear_message
from somnisphere_home.messages import Message, Topics
from somnisphere_home.session import HomeSession

pytestmark = [pytest.mark.home, pytest.mark.timeout(400)]

TOPICS = Topics("bedside")
DASHBOARD = ROOT / "integrations" / "home_assistant" / "dashboard.yaml"
HERE = [entity for entity in ENTITIES if entity.key not in SOMETIMES]
TITLE = "The attic of old stories"
NOW = replace(EVERYTHING, story_titles=(TITLE, "The goat in carriage six"), story_title=TITLE)
PICTURES = DASHBOARD.parent / "pictures"
KEPT = ("tonight-phone-light", "tonight-phone-dark", "tonight-desk-dark", "shelf-tablet-dark", "box-desk-dark")
"""Shown in integrations/README.md; kept there with SOMNISPHERE_KEEP_PICTURES=1."""
WINDOWS = {"phone": (390, 844), "tablet": (820, 1180), "desk": (1600, 1000)}
VIEWS = {"tonight": "Begin the evening", "night": "Through the hours", "shelf": "On the shelf", "box": "Disk left"}
NIGHT = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 200"><title>Night</title>'
    b'<path d="M0 150h200v-80h200v40h200" fill="none" stroke="#68a" stroke-width="6"/></svg>'
)


@pytest.fixture(scope="module")
def box(home: HomeAssistant, broker: Broker) -> Iterator[None]:
    session = HomeSession(HERE, TOPICS, DeviceInfo(name="Bedside", sw_version="1"))

    def send(messages: list[Message]) -> None:
        for message in messages:
            broker.publish(message.topic, message.payload, message.retain)

    home.put_dashboard(DASHBOARD)
    send([*session.part_status("sensor", online=True), *session.part_status("player", online=True)])
    send(session.connected(NOW, 0.0))
    send([*session.image(NIGHT_ENTITY, NIGHT), *session.image(COVER_ENTITY, to_svg(TITLE, None))])
    shown = [entity.default_id(TOPICS.node) for entity in HERE if entity.enabled_by_default]
    wait_until(lambda: set(shown) <= home.client.states().keys(), "every entity", 30)
    wait_until(lambda: home.client.states()["sensor.bedside_story_playing"]["state"] == TITLE, "the states", 20)
    yield
    send([clear_message(TOPICS)])
    for topic in broker.retained(f"{TOPICS.base}/#"):
        broker.publish(topic, b"", retain=True)
    wait_until(lambda: not home.client.device_entities(TOPICS.device_id), "the device to go")


def looks_at(home: HomeAssistant, view: str, folder: Path, *windows: tuple[str, str]) -> list[Look]:
    shots = [
        Shot(folder / f"{view}-{window}-{scheme}.png", *WINDOWS[window], scheme, whole=True)  # type: ignore[arg-type]
        for window, scheme in windows
    ]
    looks = look_at(home, f"/bedside-test/{view}", shots, minimum_cards=2)
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        for look in looks:
            if look.file.stem in KEPT:
                compress(look.file, PICTURES / look.file.name)
    return looks


OF_HOME_ASSISTANT = {
    # sliders and steppers below a tile have no name of their own for a screen reader; the tile above them says it
    "2025.4": (
        ("aria-input-field-name", "ha-control-slider"),
        ("aria-input-field-name", "ha-control-number-buttons"),
    ),
    # a picture that can be tapped is written as role="0"
    "2026.11": (("aria-roles", "hui-picture-entity-card > .image-container"),),
}
"""Barriers that a release has in its own cards, by axe's rule and place: a dashboard cannot take them away."""


def in_view(look: Look) -> list[dict[str, str]]:
    """The barriers among the cards: the bars around them are Home Assistant's own on every page."""
    return [
        fault
        for fault in look.barriers
        if "hui-view" in fault["where"] or "hui-sections-view" in fault["where"]
        if not any(
            fault["id"] == rule and place in fault["where"] for rule, place in OF_HOME_ASSISTANT[RELEASE.version]
        )
    ]


EVERY = [(window, scheme) for window in WINDOWS for scheme in ("light", "dark")]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.usefixtures("box")
def test_a_view_is_whole_and_keeps_nobody_out(view: str, home: HomeAssistant, pictures: Path) -> None:
    for look in looks_at(home, view, pictures, *(EVERY if view == "tonight" else (EVERY[0], EVERY[3], EVERY[5]))):
        assert look.settled, look.text
        assert look.says(VIEWS[view]), look.text
        assert look.broken == ()
        assert look.errors == ()
        assert look.overflow_px <= 0, "the page is wider than its window"
        assert not look.says("navailable"), look.text
        assert [f"{fault['id']}: {fault['where'][-160:]}" for fault in in_view(look)] == []
