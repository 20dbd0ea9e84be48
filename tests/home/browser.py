"""The dashboard as a person sees it: Debian's Chromium, driven by ``browser.mjs``."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from tests.home.harness import HERE, HomeAssistant


@dataclass(frozen=True, slots=True)
class Shot:
    """One look: a window of this size (CSS px), by daylight or in the dark. ``whole``: as high as the page."""

    file: Path
    width_px: int
    height_px: int
    scheme: Literal["light", "dark"]
    whole: bool = False
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one look showed. ``broken``: cards that say they cannot show what they should. ``overflow_px``: how much
    the page is wider than its window."""

    file: Path
    settled: bool
    cards: int
    text: tuple[str, ...]
    broken: tuple[str, ...]
    pictures: tuple[dict[str, Any], ...]
    overflow_px: int
    errors: tuple[str, ...]
    barriers: tuple[dict[str, str], ...]
    """Serious and critical faults that axe finds: ``id`` of its rule, ``where`` through the shadow roots, ``html``."""

    def says(self, words: str) -> bool:
        return any(words in text for text in self.text)


def look_at(home: HomeAssistant, path: str, shots: Sequence[Shot], minimum_cards: int = 1) -> list[Look]:
    """Opens ``path`` once per shot, each in a fresh window of one browser."""
    job = {
        "url": home.url,
        "token": home.client.token,
        "path": path,
        "chromium": shutil.which("chromium"),
        "minimum_cards": minimum_cards,
        "shots": [
            {
                "file": str(shot.file),
                "width": shot.width_px,
                "height": shot.height_px,
                "scheme": shot.scheme,
                "whole": shot.whole,
                "scale": shot.scale,
            }
            for shot in shots
        ],
    }
    done = subprocess.run(
        ["node", str(HERE / "browser.mjs"), json.dumps(job)],
        capture_output=True,
        text=True,
        timeout=90 + 60 * len(shots),
    )
    if done.returncode != 0:
        raise RuntimeError(f"the browser did not look at {path}:\n{done.stderr[-3000:]}")
    return [
        Look(
            file=Path(answer["file"]),
            settled=answer["settled"],
            cards=answer["cards"],
            text=tuple(answer["text"]),
            broken=tuple(answer["broken"]),
            pictures=tuple(answer["pictures"]),
            overflow_px=answer["overflow_px"],
            errors=tuple(answer["errors"]),
            barriers=tuple(answer["barriers"]),
        )
        for answer in json.loads(done.stdout)
    ]


def compress(source: Path, target: Path) -> None:
    """256 colours are enough for flat cards."""
    with Image.open(source) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(target, optimize=True)
