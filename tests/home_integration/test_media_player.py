"""What the player shows of the box, and what the box does of what the player is told."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.components.media_player import ATTR_MEDIA_CONTENT_ID, ATTR_MEDIA_CONTENT_TYPE
from homeassistant.core import HomeAssistant, State
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from tests.home_integration.bedside import BASE, Bedside

PLAYER = "media_player.bedside"
LAMP = "the-lamp-that-learned-to-land.story"
TITLE = "The lamp that learned to land"


def player(hass: HomeAssistant) -> State:
    found = hass.states.get(PLAYER)
    assert found is not None
    return found


async def call(hass: HomeAssistant, action: str, **data: Any) -> None:
    await hass.services.async_call("media_player", action, {"entity_id": PLAYER, **data}, blocking=True)
    await hass.async_block_till_done()


async def play(hass: HomeAssistant, key: str, **data: Any) -> None:
    await call(hass, "play_media", **{ATTR_MEDIA_CONTENT_TYPE: "music", ATTR_MEDIA_CONTENT_ID: key}, **data)


@pytest.mark.usefixtures("entry")
async def test_at_rest_it_says_which_story_is_next(hass: HomeAssistant, bed: Bedside) -> None:
    state = player(hass)
    assert state.state == "idle"
    assert state.attributes["next_story"] == bed.box.states("story")[-1]["story"]
    assert state.attributes["phase"] == "idle"
    assert state.attributes["follow_sleep"] is True
    assert state.attributes["volume_level"] == bed.box.states("story")[-1]["volume"] / 100
    assert "media_title" not in state.attributes
    assert "entity_picture" not in state.attributes


@pytest.mark.usefixtures("entry")
async def test_a_story_is_played_by_its_key(hass: HomeAssistant, bed: Bedside) -> None:
    await play(hass, LAMP)
    await bed.live(20.0)
    story = next(row for row in bed.box.states("shelf")[-1]["stories"] if row["key"] == LAMP)
    state = player(hass)
    assert state.state == "playing"
    assert state.attributes["media_title"] == TITLE
    assert state.attributes["media_content_id"] == LAMP
    assert state.attributes["media_duration"] == pytest.approx(story["duration_s"], abs=1)
    assert state.attributes["media_position"] >= 10
    assert abs(state.attributes["media_position_updated_at"] - dt_util.utcnow()) < timedelta(seconds=30)
    assert state.attributes["entity_picture"].startswith("/api/media_player_proxy/media_player.bedside?token=")


@pytest.mark.usefixtures("entry")
async def test_a_story_is_played_by_its_title_from_a_place(hass: HomeAssistant, bed: Bedside) -> None:
    await play(hass, TITLE, extra={"position_s": 300})
    await bed.live(2.0)
    assert bed.asked("play") == [{"key": TITLE, "position_s": 300}]
    assert 295 <= player(hass).attributes["media_position"] <= 305


@pytest.mark.usefixtures("entry")
async def test_paused_it_stands_still_and_goes_on(hass: HomeAssistant, bed: Bedside) -> None:
    await play(hass, LAMP)
    await bed.live(30.0)
    await call(hass, "media_pause")
    await bed.live(10.0)
    state = player(hass)
    assert state.state == "paused"
    assert state.attributes["media_title"] == TITLE
    stood_at = state.attributes["media_position"]
    await bed.live(60.0)
    assert player(hass).attributes["media_position"] == stood_at
    await call(hass, "media_play")
    await bed.live(5.0)
    assert player(hass).state == "playing"
    assert bed.told("resume") == ["PRESS"]
    assert bed.asked("play") == [{"key": LAMP}], "it was resumed, not begun anew"


@pytest.mark.usefixtures("entry")
async def test_play_at_rest_begins_the_next_story_at_its_bookmark(hass: HomeAssistant, bed: Bedside) -> None:
    await play(hass, LAMP, extra={"position_s": 200})
    await bed.live(60.0)
    await call(hass, "media_stop")
    await bed.live(5.0)
    at_rest = player(hass)
    assert at_rest.state == "idle"
    assert at_rest.attributes["bookmark_s"] == pytest.approx(260, abs=60)
    await call(hass, "media_play")
    await bed.live(2.0)
    state = player(hass)
    assert state.state == "playing"
    assert state.attributes["media_content_id"] == LAMP
    assert state.attributes["media_position"] == pytest.approx(at_rest.attributes["bookmark_s"], abs=20)
    await call(hass, "media_play")
    assert len(bed.asked("play")) == 2, "playing already: nothing to ask for"


@pytest.mark.usefixtures("entry")
async def test_it_is_put_to_another_place(hass: HomeAssistant, bed: Bedside) -> None:
    await play(hass, LAMP)
    await bed.live(5.0)
    await call(hass, "media_seek", seek_position=400)
    await bed.live(2.0)
    assert 395 <= player(hass).attributes["media_position"] <= 405


@pytest.mark.usefixtures("entry")
async def test_the_volume_is_the_persons(hass: HomeAssistant, bed: Bedside) -> None:
    await call(hass, "volume_set", volume_level=0.25)
    await bed.live(20.0)
    assert bed.told("volume") == ["25"]
    assert player(hass).attributes["volume_level"] == 0.25
    await call(hass, "volume_up")
    assert bed.told("volume")[-1] == "35"


@pytest.mark.usefixtures("entry")
async def test_the_fade_is_shown_as_the_story_falls(hass: HomeAssistant, bed: Bedside) -> None:
    """Without a sensor a plain timer ends the story, and the page falls towards its end."""
    await play(hass, LAMP)
    await bed.live(5.0)
    assert player(hass).attributes["fade_db"] == 0.0
    seen: list[float] = []
    for _ in range(40):
        await bed.live(30.0)
        if player(hass).state != "playing":
            break
        seen.append(player(hass).attributes["fade_db"])
    assert min(seen) < -6.0
    assert seen == sorted(seen, reverse=True)


@pytest.mark.usefixtures("entry")
async def test_it_is_unavailable_with_the_box_and_with_its_player(hass: HomeAssistant, bed: Bedside) -> None:
    await bed.say(f"{BASE}/player/status", "offline")
    assert player(hass).state == "unavailable"
    await bed.say(f"{BASE}/player/status", "online")
    assert player(hass).state == "idle"
    await bed.say(f"{BASE}/status", "offline")
    assert player(hass).state == "unavailable"
    await bed.say(f"{BASE}/status", "online")
    assert player(hass).state == "idle"


@pytest.mark.usefixtures("entry")
async def test_going_and_coming_are_logged_once(bed: Bedside, caplog: pytest.LogCaptureFixture) -> None:
    for status in ("offline", "offline", "online", "online"):
        await bed.say(f"{BASE}/status", status)
    said = [record.getMessage() for record in caplog.records if "custom_components.somnisphere" in record.name]
    assert [words for words in said if "away" in words or "back" in words] == [
        "The box bedside is away",
        "The box bedside is back",
    ]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("payload", ["no json", "[1, 2]", b"\x00"])
async def test_rubbish_on_a_topic_is_survived(hass: HomeAssistant, bed: Bedside, payload: str | bytes) -> None:
    await bed.say(f"{BASE}/story", payload)
    assert player(hass).state == "unavailable"
    await bed.come()
    assert player(hass).state == "idle"


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("entry")
async def test_the_boxes_own_words_say_why_not(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError, match="there is no story 'nothing-like-it' on the shelf"):
        await play(hass, "nothing-like-it")
    with pytest.raises(HomeAssistantError, match="no story is playing; play one first"):
        await call(hass, "media_seek", seek_position=10)


@pytest.mark.usefixtures("entry")
async def test_what_a_story_player_is_not_is_refused_here(hass: HomeAssistant, bed: Bedside) -> None:
    with pytest.raises(ServiceValidationError, match="keeps no queue"):
        await play(hass, LAMP, enqueue="add")
    with pytest.raises(ServiceValidationError, match="not soon"):
        await play(hass, LAMP, extra={"position_s": "soon"})
    assert bed.heard == []


async def test_nothing_is_sent_to_a_box_that_is_away(bed: Bedside, entry: MockConfigEntry) -> None:
    await bed.say(f"{BASE}/status", "offline")
    with pytest.raises(HomeAssistantError, match="not online"):
        await entry.runtime_data.command("stop")
    assert bed.heard == []


@pytest.mark.usefixtures("entry")
async def test_silence_is_no_answer(hass: HomeAssistant, bed: Bedside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.somnisphere.box.ANSWER_WITHIN_S", 0.05)
    bed.deaf = True
    with pytest.raises(HomeAssistantError, match="gave no answer within"):
        await call(hass, "media_pause")
    bed.deaf = False
    await call(hass, "media_pause")
    assert bed.told("pause") == ["PRESS", "PRESS"]


async def test_whoever_waits_at_the_end_is_let_go(hass: HomeAssistant, bed: Bedside, entry: MockConfigEntry) -> None:
    bed.deaf = True
    waiting = asyncio.ensure_future(entry.runtime_data.ask("nights"))
    await asyncio.sleep(0)
    assert await hass.config_entries.async_unload(entry.entry_id)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert player(hass).state == "unavailable"
