"""One Home Assistant, one broker and one browser for all tests marked ``home``: a start takes six seconds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.home.broker import Broker, mosquitto
from tests.home.harness import HERE, HomeAssistant, home_assistant
from tests.home.release import RELEASE


def _missing() -> str:
    absent = [tool for tool in ("mosquitto", "chromium", "node") if shutil.which(tool) is None]
    if RELEASE.missing:
        absent.append(RELEASE.missing)
    if not (HERE / "node_modules" / "playwright-core").exists():
        absent.append("playwright-core")
    return ", ".join(absent)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if missing := _missing():
        pytest.skip(f"not installed: {missing}; run: bash {RELEASE.installer}")
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


@pytest.fixture(scope="session")
def home(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HomeAssistant]:
    """Home Assistant, its owner signed in, joined to ``broker``."""
    with home_assistant(tmp_path_factory.mktemp("home")) as running:
        running.client.add_mqtt(broker.port)
        yield running


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go."""
    return tmp_path_factory.mktemp("pictures")
