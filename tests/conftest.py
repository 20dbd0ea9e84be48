"""For all tests: what is worked out of stories is kept in a folder of each file of tests, not in a person's cache."""

import os
from collections.abc import Iterator

import pytest

collect_ignore = ["home_integration"]
"""Of another environment and another pytest: see ``tests/run.sh home``."""


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = {name: os.environ.pop(name, None) for name in ("XDG_CACHE_HOME", "CACHE_DIRECTORY")}
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["XDG_CACHE_HOME"]
    os.environ.update({name: value for name, value in before.items() if value is not None})
