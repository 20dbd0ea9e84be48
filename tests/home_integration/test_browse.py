"""The shelf to look through, as the dashboard's media browser asks for it."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator
from tests.home_integration.bedside import BASE, Bedside

from custom_components.somnisphere.browse import browse
from custom_components.somnisphere.shelf import Shelf, ShelfStory, read_shelf

PLAYER = "media_player.bedside"
SHELF = Shelf(
    (
        ShelfStory("ana/fox.mp3", "The Fox", teller="Grandmother", listeners=("Ana",)),
        ShelfStory("owl.mp3", "The Owl", teller="Ben", listeners=("Ana", "Ben")),
        ShelfStory("wind.txt", "Wind"),
    ),
    left_out=3,
)


def look(kind: str | None, name: str | None = None, shelf: Shelf = SHELF, language: str = "en") -> dict[str, Any]:
    return browse(shelf, kind, name, "Bedside", language, lambda key: f"cover of {key}").as_dict()


def titles(folder: dict[str, Any]) -> list[str]:
    return [child["title"] for child in folder["children"]]


def test_the_root_has_folders_for_what_there_is() -> None:
    assert titles(look(None)) == ["Stories", "By teller", "By listener"]
    assert titles(look(None, shelf=Shelf((ShelfStory("a", "A"),)))) == ["Stories"]
    assert titles(look(None, language="de-CH")) == ["Geschichten", "Nach Erzähler", "Nach Zuhörer"]
    assert look("root", "") == look(None), "a browser may ask for it by the names it was given"


def test_each_folder_leads_to_stories() -> None:
    assert titles(look("stories", "stories")) == ["The Fox", "The Owl", "Wind"]
    assert look("stories", "stories")["not_shown"] == 3
    assert titles(look("tellers", "tellers")) == ["Ben", "Grandmother"]
    assert titles(look("teller", "Grandmother")) == ["The Fox"]
    assert titles(look("listeners", "listeners")) == ["Ana", "Ben"]
    assert titles(look("listener", "Ana")) == ["The Fox", "The Owl"]


def test_every_child_can_be_asked_for_by_what_it_says_of_itself() -> None:
    asked = [(None, None)]
    seen = 0
    while asked:
        folder = look(*asked.pop())
        for child in folder["children"]:
            seen += 1
            if child["can_expand"]:
                asked.append((child["media_content_type"], child["media_content_id"]))
            else:
                assert child["can_play"]
                assert child["thumbnail"] == f"cover of {child['media_content_id']}"
                assert look(child["media_content_type"], child["media_content_id"])["title"] == child["title"]
    assert seen == 3 + 3 + 2 + 2 + 2 + 3


@pytest.mark.parametrize(
    "said", [{}, {"stories": "many"}, {"stories": [1, {"key": "x"}, {"key": 2, "title": "y"}]}, {"left_out": None}]
)
def test_a_shelf_that_is_none_is_empty(said: dict[str, Any]) -> None:
    assert read_shelf(said) == Shelf()


@pytest.mark.usefixtures("entry", "socket_enabled")
async def test_the_box_shelf_is_browsed_with_its_covers(
    hass: HomeAssistant, bed: Bedside, hass_ws_client: WebSocketGenerator, hass_client: ClientSessionGenerator
) -> None:
    browser = await hass_ws_client(hass)

    async def ask(**ids: str) -> dict[str, Any]:
        await browser.send_json_auto_id({"type": "media_player/browse_media", "entity_id": PLAYER, **ids})
        answer: dict[str, Any] = await browser.receive_json()
        return answer

    root = (await ask())["result"]
    assert titles(root) == ["Stories", "By teller"]
    stories = (await ask(media_content_type="stories", media_content_id="stories"))["result"]
    on_the_shelf = bed.box.states("shelf")[-1]["stories"]
    assert titles(stories) == [story["title"] for story in on_the_shelf]
    refused = await ask(media_content_type="teller", media_content_id="nobody")
    assert refused["success"] is False
    assert "no teller nobody" in refused["error"]["message"]

    client = await hass_client()
    for child in stories["children"]:
        picture = await client.get(child["thumbnail"])
        assert picture.status == 200
        assert picture.content_type == "image/svg+xml"
        assert (await picture.text()).startswith("<svg ")
    asked = len(bed.asked("cover"))
    assert asked == len(on_the_shelf)
    await client.get(stories["children"][0]["thumbnail"])
    assert len(bed.asked("cover")) == asked, "kept"


@pytest.mark.usefixtures("entry", "socket_enabled")
async def test_the_cover_of_what_plays_is_the_entitys_picture(
    hass: HomeAssistant, bed: Bedside, hass_client: ClientSessionGenerator
) -> None:
    await hass.services.async_call(
        "media_player",
        "play_media",
        {"entity_id": PLAYER, "media_content_type": "music", "media_content_id": "The lamp that learned to land"},
        blocking=True,
    )
    await bed.live(5.0)
    state = hass.states.get(PLAYER)
    assert state is not None
    client = await hass_client()
    picture = await client.get(state.attributes["entity_picture"])
    assert picture.content_type == "image/svg+xml"
    assert "The lamp that learned to land" in await picture.text()
    await bed.say(f"{BASE}/status", "offline")
    again = await client.get(state.attributes["entity_picture"])
    assert again.status == 200, "kept, while the box is away"


@pytest.mark.usefixtures("entry", "socket_enabled")
async def test_a_cover_that_cannot_be_had_is_none(
    hass: HomeAssistant, bed: Bedside, hass_client: ClientSessionGenerator
) -> None:
    await bed.say(f"{BASE}/status", "offline")
    state = hass.states.get(PLAYER)
    assert state is not None
    client = await hass_client()
    address = f"/api/media_player_proxy/{PLAYER}/browse_media/music/{bed.box.states('shelf')[-1]['stories'][0]['key']}"
    assert (await client.get(address)).status in (404, 500), "no picture; newer releases say it with 404"
    assert bed.asked("cover") == []
