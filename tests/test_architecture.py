"""Holds the direction of imports: pi stands on hardware and on integrations; those two never meet and never look up."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {
    "somnisphere": ROOT / "pi" / "somnisphere",
    "somnisphere_hardware": ROOT / "hardware" / "somnisphere_hardware",
    "somnisphere_home": ROOT / "integrations" / "somnisphere_home",
}
MAY_IMPORT = {
    "somnisphere": {"somnisphere", "somnisphere_hardware", "somnisphere_home"},
    "somnisphere_hardware": {"somnisphere_hardware"},
    "somnisphere_home": {"somnisphere_home"},
}
ONE_FILE_EACH = {
    "smbus2": {"hardware/somnisphere_hardware/bus.py", "hardware/somnisphere_hardware/simulated/bus.py"},
    "gpiozero": {
        "hardware/somnisphere_hardware/lamp.py",
        "hardware/somnisphere_hardware/button.py",
        "hardware/somnisphere_hardware/simulated/pins.py",
    },
    "paho": {"integrations/somnisphere_home/mqtt.py", "integrations/somnisphere_home/sure_link.py"},
    "psycopg": {"pi/somnisphere/coach_desk/ledger_postgres.py"},
    "homeassistant_api": {"integrations/somnisphere_home/rest.py", "integrations/somnisphere_home/rest_socket.py"},
    "niquests": {"integrations/somnisphere_home/rest_socket.py"},
    "amqtt": {"integrations/somnisphere_home/embedded_broker.py"},
    "mutagen": {"pi/somnisphere/library/audio_tags.py"},
    "piper": {"pi/somnisphere/telling/piper.py"},
    "babel": {"pi/somnisphere/page/words.py"},
    "jinja2": {"pi/somnisphere/page/rendering.py"},
    "uvicorn": {"pi/somnisphere/page/server.py"},
    "PIL": {"pi/somnisphere/picture_png.py"},
    "cryptography": {"pi/somnisphere/circle/identity.py"},
    "segno": {"pi/somnisphere/circle/qr.py"},
    "edfio": {"pi/somnisphere/exchange/edf.py"},
    "zeroconf": {"pi/somnisphere/setup/neighbours.py"},
}
PURE_CIRCLE = (
    *("acts", "bridge", "evening", "fetching", "known", "manifest", "members", "pieces", "protocol"),
    *("serving", "signed", "spoken", "take_back", "topics"),
)
PURE_SETUP = (
    *("ask_bedside", "ask_broker", "ask_hands", "ask_home", "ask_sensor", "ask_sound", "ask_stories"),
    *("deeds", "dialogue", "draft", "questions"),
)
PURE_ROOMS = [
    "pi/somnisphere/sleep",
    "pi/somnisphere/bedtime",
    "pi/somnisphere/comfort",
    *(f"pi/somnisphere/diary/{name}.py" for name in ("learning", "questions", "seal", "telling", "words")),
    *(f"pi/somnisphere/dreams/{name}.py" for name in ("by_the_home", "daylight", "frames", "telling", "weave")),
    *(f"pi/somnisphere/weaver/{name}.py" for name in ("cards", "helper", "table")),
    "pi/somnisphere/letter",
    "pi/somnisphere/core.py",
    "pi/somnisphere/cues.py",
    *(
        f"pi/somnisphere/coach/{name}.py"
        for name in ("diary_row", "told", "signs", "programmes", "rails", "red_flags", "consent", "summary", "post")
    ),
    "pi/somnisphere/home_facts.py",
    "pi/somnisphere/exchange/edf_night.py",
    *(f"pi/somnisphere/exchange/{name}.py" for name in ("epoch_rows", "fitbit", "plain", "sleep_as_android")),
    *(f"pi/somnisphere/exchange/{name}.py" for name in ("imported_rows", "tracker_rows", "withings")),
    *(f"pi/somnisphere/circle/{name}.py" for name in PURE_CIRCLE),
    *(f"pi/somnisphere/setup/{name}.py" for name in PURE_SETUP),
]
IMPURE_MODULES = {"time", "threading", "socket", "subprocess", "asyncio", "sqlite3"}


def imports_of(path: Path) -> Iterator[str]:
    """Full names of all modules that a file imports, at any depth of nesting."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; say where it comes from"
            assert node.module is not None
            yield node.module


def files_of(room: str) -> list[Path]:
    files = sorted(ROOMS[room].rglob("*.py"))
    assert files, f"no files in {room}"
    return files


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_downwards(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(room)
        for name in imports_of(path)
        if name.split(".")[0] in ROOMS and name.split(".")[0] not in MAY_IMPORT[room]
    ]
    assert wrong == []


def test_each_library_has_one_file() -> None:
    wrong = [
        f"{relative} imports {library}"
        for room in ROOMS
        for path in files_of(room)
        for name in imports_of(path)
        if (library := name.split(".")[0]) in ONE_FILE_EACH
        and (relative := path.relative_to(ROOT).as_posix()) not in ONE_FILE_EACH[library]
    ]
    assert wrong == []


def test_the_daemon_imports_nothing_of_the_page() -> None:
    """Memory of a Pi Zero, and a page that can be broken without the night noticing."""
    heavy = ("starlette", "jinja2", "babel", "uvicorn", "cryptography", "segno", "psycopg", "edfio", "zeroconf")
    code = f"import sys, somnisphere.cli_daemon; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_drivers_and_simulated_chips_share_nothing() -> None:
    """A chip and its driver written from the same table would share its mistakes and hide them."""
    chips = {"max30102", "mpu6050", "lis3dh", "adxl345", "registers", "pn532", "pn532_frames"}
    simulated = ROOMS["somnisphere_hardware"] / "simulated"
    for path in sorted(simulated.rglob("*.py")):
        for name in imports_of(path):
            module = name.removeprefix("somnisphere_hardware.")
            assert module not in chips, f"{path.name} imports the driver {name}"
    for chip in chips:
        for name in imports_of(ROOMS["somnisphere_hardware"] / f"{chip}.py"):
            assert "simulated" not in name, f"{chip}.py imports {name}"


def test_pure_rooms_own_no_clock_thread_or_socket() -> None:
    wrong = []
    for place in PURE_ROOMS:
        target = ROOT / place
        for path in sorted(target.rglob("*.py")) if target.is_dir() else [target]:
            wrong += [
                f"{path.relative_to(ROOT)} imports {name}"
                for name in imports_of(path)
                if name.split(".")[0] in IMPURE_MODULES
            ]
    assert wrong == []


def test_files_stay_small() -> None:
    """A file grown past this is two rooms."""
    long = [
        f"{path.relative_to(ROOT)}: {count} lines"
        for room in ROOMS
        for path in files_of(room)
        if (count := len(path.read_text().splitlines())) > 350
    ]
    assert long == []


def test_everything_the_wheel_needs_says_it_is_typed() -> None:
    for room, folder in ROOMS.items():
        assert (folder / "py.typed").is_file(), room


def test_shell_scripts_parse() -> None:
    scripts = [*ROOT.glob("deploy/*.sh"), *ROOT.glob("tests/*.sh"), *ROOT.glob("tests/home/*.sh"), ROOT / ".ci" / "run"]
    for script in scripts:
        subprocess.run(["bash", "-n", os.fspath(script)], check=True)
