"""Our own integration in a real Home Assistant: set up as a person would, then an evening's story by its media player.

A household of its own, for the others' Home Assistant is one without it. The box is a rehearsal, thirty times as fast.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.home.broker import Broker, mosquitto
from tests.home.client import HomeAssistantSaidNoError, wait_until
from tests.home.conftest import _missing
from tests.home.harness import ROOT, HomeAssistant
from tests.home.rehearsed import rehearse

from somnisphere.library import STARTER_FOLDER
from somnisphere_home.messages import Topics

pytestmark = [pytest.mark.home, pytest.mark.timeout(300)]

TOPICS = Topics("bedside")
SHIPPED = ROOT / "integrations" / "custom_components" / "somnisphere"
PLAYER = "media_player.bedside"
SPEED = 30.0
ATTIC, LAMP = "the-attic-of-old-stories.story", "the-lamp-that-learned-to-land.story"
NOT_TESTED_BY_THEM = "We found a custom integration somnisphere which has not been tested by Home Assistant"
OWL = {"title": "The Short Owl", "text": "An owl sat down. It slept.", "teller": "Ben", "language": "en"}


class Household:
    """``shelf``: the household's own folder of stories."""

    def __init__(self, home: HomeAssistant, broker: Broker, shelf: Path) -> None:
        self.home, self.broker, self.shelf = home, broker, shelf

    @property
    def player(self) -> dict[str, Any]:
        return self.home.client.state(PLAYER) or {"state": "absent", "attributes": {}}

    def until(self, right: Callable[[str, dict[str, Any]], bool], what: str, within_s: float = 30.0) -> dict[str, Any]:
        """Attributes of the player when it is so."""

        def look() -> dict[str, Any] | None:
            seen = self.player
            return seen["attributes"] if right(seen["state"], seen["attributes"]) else None

        try:
            return wait_until(look, what, within_s)
        except TimeoutError as late:
            raise TimeoutError(f"{late}; the player is {self.player}") from None

    def tell(self, action: str, **data: object) -> None:
        self.home.client.call(f"media_player.{action}", entity_id=PLAYER, **data)

    def ask(self, action: str, **data: object) -> dict[str, Any]:
        """An action of ours with its answer, over REST."""
        path = f"/api/services/somnisphere/{action}?return_response"
        answer: dict[str, Any] = self.home.client.request("POST", path, data)["service_response"]
        return answer

    def refused(self, domain: str, service: str, data: Mapping[str, object], **more: object) -> None:
        self.home.client.command("call_service", domain=domain, service=service, service_data=data, **more)

    def browse(self, **ids: str) -> dict[str, Any]:
        found: dict[str, Any] = self.home.client.command("media_player/browse_media", entity_id=PLAYER, **ids)
        return found

    def entries(self) -> list[dict[str, Any]]:
        every = self.home.client.command("config_entries/get")
        return [entry for entry in every if entry["domain"] == "somnisphere"]

    def offers(self) -> list[dict[str, Any]]:
        """What the page "Devices & services" offers to be added."""
        flows = self.home.client.command("config_entries/flow/progress")
        return [flow for flow in flows if flow["handler"] == "somnisphere"]

    def page(self) -> dict[str, str]:
        """Entity ids on the box's page, by their integration."""
        found = self.home.client.device_entities(TOPICS.device_id).values()
        return {entry["entity_id"]: entry["platform"] for entry in found}


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash tests/home/install.sh")
    folder = tmp_path_factory.mktemp("household")
    shelf = folder / "shelf"
    for key in (ATTIC, LAMP):
        shutil.copytree(STARTER_FOLDER / key, shelf / key)
    home = HomeAssistant(folder / "home")
    home.lay_out()
    shutil.copytree(SHIPPED, home.folder / "custom_components" / "somnisphere")
    settings = f'[ritual]\nwind_down_min = 1\n\n[stories]\nfolder = "{shelf}"\n'
    (folder / "broker").mkdir()
    with (
        mosquitto(folder / "broker") as broker,
        broker.listening(f"{TOPICS.base}/#") as listener,
        rehearse(broker, folder / "box", listener, "--speed", f"{SPEED:g}", settings=settings) as night,
    ):
        try:
            home.start()
            home.client.add_mqtt(broker.port)
            night.until("story_began", 90)
            yield Household(home, broker, shelf)
        finally:
            home.stop()


def test_the_box_is_offered_and_added(household: Household) -> None:
    [offer] = wait_until(household.offers, "our box among the discovered", 20)
    assert offer["context"]["source"] == "mqtt"
    path = f"/api/config/config_entries/flow/{offer['flow_id']}"
    form = household.home.client.request("GET", path)
    assert (form["type"], form["step_id"]) == ("form", "confirm")
    assert form["description_placeholders"] == {"name": "Somnisphere", "node": "bedside"}
    assert household.home.client.request("POST", path, {})["type"] == "create_entry"
    household.until(lambda state, _: state == "playing", "the evening's story to be seen")
    assert [entry["state"] for entry in household.entries()] == ["loaded"]
    assert household.offers() == []
    page = household.page()
    assert page[PLAYER] == "somnisphere"
    assert page["sensor.bedside_phase"] == "mqtt", "both on one page"


def test_removed_and_looked_for_by_hand_it_is_there_again(household: Household) -> None:
    client = household.home.client
    [entry] = household.entries()
    client.request("DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
    wait_until(lambda: client.state(PLAYER) is None, "the player to be gone")
    assert "sensor.bedside_phase" in household.page(), "the rest stays"
    assert PLAYER not in household.page()
    form = client.request("POST", "/api/config/config_entries/flow", {"handler": "somnisphere"})
    assert (form["type"], form["step_id"]) == ("form", "user")
    [field] = form["data_schema"]
    assert field["selector"]["select"]["options"] == [{"value": "bedside", "label": "Somnisphere (bedside)"}]
    made = client.request("POST", f"/api/config/config_entries/flow/{form['flow_id']}", {"node": "bedside"})
    assert made["type"] == "create_entry"
    household.until(lambda state, _: state == "playing", "the player to be back")
    wait_until(lambda: household.offers() == [], "no offer to be left")


def test_the_story_of_the_evening_is_shown(household: Household) -> None:
    shown = household.until(lambda state, seen: state == "playing" and seen["phase"] == "story", "the story")
    assert shown["media_content_id"] in (ATTIC, LAMP)
    assert shown["media_title"] in ("The attic of old stories", "The lamp that learned to land")
    assert shown["media_artist"] == "Somnisphere"
    assert 500 < shown["media_duration"] < 700
    assert 0 <= shown["media_position"] <= shown["media_duration"]
    assert shown["follow_sleep"] is True
    picture = household.home.client.request("GET", shown["entity_picture"])
    assert picture.startswith("<svg ")
    assert shown["media_title"] in picture


def test_the_shelf_is_browsed(household: Household) -> None:
    root = household.browse()
    assert [child["title"] for child in root["children"]] == ["Stories", "By teller"]
    stories = household.browse(media_content_type="stories", media_content_id="stories")["children"]
    assert {child["media_content_id"]: child["title"] for child in stories} == {
        ATTIC: "The attic of old stories",
        LAMP: "The lamp that learned to land",
    }
    for child in stories:
        assert child["can_play"]
        assert household.home.client.request("GET", child["thumbnail"]).startswith("<svg ")
    told = household.browse(media_content_type="teller", media_content_id="Somnisphere")["children"]
    assert {child["media_content_id"] for child in told} == {ATTIC, LAMP}
    with pytest.raises(HomeAssistantSaidNoError, match="There is no teller nobody on the shelf"):
        household.browse(media_content_type="teller", media_content_id="nobody")


def test_a_story_is_played_paused_and_goes_on(household: Household) -> None:
    household.tell("play_media", media_content_type="music", media_content_id=ATTIC, extra={"position_s": 10})
    household.until(
        lambda state, seen: state == "playing" and seen["media_content_id"] == ATTIC, "the story that was chosen"
    )
    household.tell("media_pause")
    at_s = household.until(lambda state, _: state == "paused", "the pause")["media_position"]
    time.sleep(0.5)  # fifteen seconds of the night
    assert household.player["attributes"]["media_position"] == at_s
    household.tell("media_seek", seek_position=40)
    household.until(lambda state, seen: state == "paused" and seen["media_position"] == 40, "the other place")
    household.tell("media_play")
    shown = household.until(lambda state, _: state == "playing", "the story to go on")
    assert 40 <= shown["media_position"] <= 40 + 3 * SPEED


def test_the_volume_is_set(household: Household) -> None:
    household.tell("volume_set", volume_level=0.3)
    household.until(lambda _, seen: seen["volume_level"] == 0.3, "the volume")
    assert household.home.client.state("number.bedside_volume")["state"] == "30"  # type: ignore[index]


def test_what_is_refused_is_said_in_the_boxes_words(household: Household) -> None:
    """As the dashboard and the developer tools are told it, over the WebSocket."""
    unknown = {"entity_id": PLAYER, "media_content_type": "music", "media_content_id": "nothing of the kind"}
    with pytest.raises(HomeAssistantSaidNoError, match="there is no story 'nothing of the kind' on the shelf"):
        household.refused("media_player", "play_media", unknown)
    with pytest.raises(HomeAssistantSaidNoError, match="no night of '1999-01-01' is kept"):
        household.refused("somnisphere", "get_night", {"night_id": "1999-01-01"}, return_response=True)
    said = wait_until(lambda: [e for e in household.home.trouble() if "bedside refused:" in e.text][:2], "its log", 10)
    assert not any("Traceback" in entry.text for entry in said)
    household.home.forgive(said)


def test_the_fade_follows_the_sleeper(household: Household) -> None:
    seen_db: list[float] = []

    def over(state: str, seen: dict[str, Any]) -> bool:
        if state == "playing" and seen["fade_db"] not in seen_db[-1:]:
            seen_db.append(seen["fade_db"])
        return state == "idle"

    household.until(over, "the story to end", 90)
    assert min(seen_db) < -1.0
    assert len(seen_db) > 2, "by degrees"
    assert seen_db == sorted(seen_db, reverse=True)


def test_at_rest_play_goes_on_at_the_bookmark(household: Household) -> None:
    household.tell("play_media", media_content_type="music", media_content_id=LAMP, extra={"position_s": 100})
    household.until(lambda state, seen: state == "playing" and seen["media_position"] > 130, "a part of the story")
    household.tell("media_stop")
    rest = household.until(lambda state, _: state == "idle", "the end")
    bookmark_s = rest["bookmark_s"]
    assert rest["next_story"] == "The lamp that learned to land"
    assert bookmark_s >= 100
    household.tell("media_play")
    shown = household.until(lambda state, _: state == "playing", "the story")
    assert shown["media_content_id"] == LAMP
    assert bookmark_s - 30 <= shown["media_position"] <= bookmark_s + 4 * SPEED
    household.tell("media_stop")
    household.until(lambda state, seen: state == "idle" and seen["phase"] in ("idle", "morning"), "the end")


def test_a_night_is_answered(household: Household) -> None:
    night = household.ask("get_night")
    assert night["in_bed"] is not None
    assert {"about", "low", "high"} == night["total_sleep_min"].keys()
    assert "not a medical device" in night["note"]
    assert household.ask("get_night", night_id=night["night"])["night"] == night["night"]


def test_a_story_is_added_and_offered(household: Household) -> None:
    key = household.ask("add_story", **OWL)["key"]
    assert OWL["text"] in (household.shelf / key).read_text()


def test_after_a_restart_all_is_there_and_nothing_was_complained_of(household: Household) -> None:
    home = household.home
    before = [entry for entry in home.trouble() if NOT_TESTED_BY_THEM not in entry.text]
    assert before == [], "\n".join(map(str, before))
    home.stop()
    home.start()
    household.until(lambda state, seen: state == "idle" and seen.get("next_story") is not None, "the player")
    assert PLAYER in household.page()
    assert household.offers() == []
    after = [entry for entry in home.trouble() if NOT_TESTED_BY_THEM not in entry.text]
    assert after == [], "\n".join(map(str, after))
    assert home.client.complaints() == []
