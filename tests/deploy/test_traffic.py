"""All traffic of a night, captured: nothing goes anywhere but to the broker, to Home Assistant and to loopback.

The night is ``night_alone.py``: the daemon on simulated chips, its speaker, light, moments and questions with the home,
the page and the circle, through the broker that ``deploy/broker`` sets up, in a network of its own.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BODY = ("heart", "bpm", "breath", "oxygen", "spo2", "rmssd", "movement", "motion_count", "stage", "probabilit", "pulse")
"""What a payload of the body would name."""


MADE_BY_HAND = {"somnisphere.toml", "socket.toml", "token"}


def alone(folder: Path, *more: str) -> dict[str, Any]:
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("ip") is None:
        pytest.skip("unshare or ip is missing (apt install util-linux iproute2)")
    rights = [] if os.getuid() == 0 else ["--map-root-user"]
    may = subprocess.run([unshare, *rights, "--net", "ip", "link", "add", "x", "type", "veth"], capture_output=True)
    if may.returncode != 0:
        pytest.skip(f"no network of its own may be made here: {may.stderr.decode().strip()}")
    command = [unshare, *rights, "--net", sys.executable, "-m", "tests.deploy.night_alone", str(folder), *more]
    path = os.pathsep.join([str(ROOT), *(str(ROOT / room) for room in ("pi", "hardware", "integrations"))])
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["lost"] == 0, "every packet was looked at"
    return seen


def strangers(seen: dict[str, Any]) -> list[Any]:
    """Whoever was spoken to and is none of the three."""
    known = {tuple(seen.get("broker", ())), *(("10.99.0.2", port) for port in seen.get("home_ports", ()))}
    return [
        peer
        for peer in seen["peers"]
        if peer[0] != "tcp" or peer[3] != "lo" or not ((peer[1], peer[2]) in known or peer[1] in ("127.0.0.1", "::1"))
    ]


@pytest.mark.broker
def test_a_night_speaks_with_the_broker_the_home_and_itself_alone(tmp_path: Path) -> None:
    seen = alone(tmp_path)
    assert strangers(seen) == []
    assert ["tcp", *seen["broker"], "lo"] in seen["peers"]
    assert [port for _, address, port, _ in seen["peers"] if address == "10.99.0.2"] == seen["home_ports"]
    assert not [peer for peer in seen["peers"] if peer[2] in (53, 853, 5353, 1900)], "no names are asked for"
    # That was a night: a body was felt, its sleep was noticed, and the broker was told, through its access list.
    assert seen["moments"][-2:] == ["drifting", "fell_asleep"]
    assert len(seen["hearts"]) > 10
    assert (seen["denied"], seen["unheard"]) == ([], [])
    assert seen["circle_off"] == 2
    # What it kept can be read by nobody else of the machine, although it was started by hand and with a wide umask.
    assert {"journal.db", "journal.db.evening", "household.db", "circle/household.key"} <= seen["files"].keys()
    assert {name: mode for name, mode in seen["files"].items() if mode & 0o077 and name not in MADE_BY_HAND} == {}
    # And what Home Assistant was asked, beside the broker, is about its own things and the moments that were wished.
    told = seen["to_home"].lower()
    assert "somnisphere_moment" in told
    assert [word for word in BODY if word in told or word in json.dumps(seen["asked"]).lower()] == []
    keys = {frozenset(body) for _, body in seen["events"]}
    assert keys == {frozenset(("node", "type", "at", "night_id", "confidence", "latency_s", "sleeper"))}
    assert {"play_media", "volume_set", "turn_on"} <= set(seen["calls"])
    assert {one["type"] for one in seen["asked"]} == {"supported_features", "render_template"}


def test_a_planted_leak_would_be_seen(tmp_path: Path) -> None:
    """A request, a question for a name, a call to the whole network, and IPv6 where the kernel has it."""
    planted = [
        ["tcp", "203.0.113.9", 80, "away"],
        ["udp", "224.0.0.251", 5353, "away"],
        ["udp", "9.9.9.9", 53, "away"],
    ]
    if Path("/proc/net/if_inet6").exists():
        planted.insert(1, ["udp", "2001:db8::9", 443, "away"])
    assert strangers(alone(tmp_path, "--leaks")) == planted
