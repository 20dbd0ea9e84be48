"""The shelf of stories."""

from collections.abc import Iterator
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.library import STARTER_FOLDER, scan


def check_stories(config: Config) -> Iterator[Finding]:
    folder = Path(config.stories.folder) if config.stories.folder else STARTER_FOLDER
    stories, broken = scan(folder, Path(config.stories.cache) if config.stories.cache else None)
    verdict = f"{len(stories)} on the shelf {folder}"
    yield Finding("stories", bool(stories), verdict, "" if stories else "put one there: somnisphere story add FILE")
    for file in broken:
        yield Finding("story", False, f"{file.path}: {file.reason}", "replace or remove it; the others are told")
