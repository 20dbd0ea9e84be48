"""Covers of all kinds as one kind of picture."""

import base64
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from somnisphere.covers import LARGEST_BYTES, Covers, to_svg
from somnisphere.story import Cover, Story

SVG = "{http://www.w3.org/2000/svg}"
STORY = Story("attic.story", "The attic", Path("attic.opus"))


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png", "image/svg+xml"])
def test_a_cover_is_a_picture_in_a_picture(media_type: str) -> None:
    root = ET.fromstring(to_svg("A & <B>", Cover(b"bytes of it", media_type)))
    (image,) = root.iter(f"{SVG}image")
    head, _, data = image.get("href", "").partition(",")
    assert head == f"data:{media_type};base64"
    assert base64.b64decode(data) == b"bytes of it"
    assert root.findtext(f"{SVG}title") == root.get("aria-label") == "A & <B>", "said to whoever cannot see it"


def test_what_an_svg_cover_brings_along_cannot_run() -> None:
    made = to_svg("x", Cover(b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "image/svg+xml"))
    assert [element.tag for element in ET.fromstring(made).iter()] == [f"{SVG}svg", f"{SVG}title", f"{SVG}image"]


@pytest.mark.parametrize("cover", [None, Cover(b"x" * (LARGEST_BYTES + 1), "image/jpeg")])
def test_without_a_cover_the_title_is_drawn(cover: Cover | None) -> None:
    root = ET.fromstring(to_svg("The wardrobe that came after Kofi and stayed & stayed", cover))
    drawn = " ".join(line.text or "" for line in root.iter(f"{SVG}tspan"))
    assert drawn == "The wardrobe that came after Kofi and stayed & stayed"
    assert not list(root.iter(f"{SVG}image"))


def test_an_endless_title_ends() -> None:
    root = ET.fromstring(to_svg("on and on " * 100, None))
    lines = [line.text or "" for line in root.iter(f"{SVG}tspan")]
    assert len(lines) == 5
    assert lines[-1].endswith("…")


def test_a_cover_is_read_once_for_each_story() -> None:
    asked: list[str] = []
    covers = Covers(lambda key: asked.append(key))
    assert covers.picture(STORY) == covers.picture(STORY) == to_svg("The attic", None)
    assert asked == ["attic.story"]


def test_in_the_background_it_is_there_when_it_is_made() -> None:
    covers = Covers(lambda _: Cover(b"1", "image/png"), background=True)
    first = covers.picture(STORY)
    covers.wait(10.0)
    assert first in (None, covers.picture(STORY))
    assert re.search(rb"image/png", covers.picture(STORY) or b"")
