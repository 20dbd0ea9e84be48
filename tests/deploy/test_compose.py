"""The PC side's files, as far as they can be looked at without an engine: every file that is named is there, every
command line is one of ours, mosquitto takes its configuration. ``image_by_hand.py`` walks through the Dockerfile."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from tests.brokers import HOST, free_port, mosquitto

from somnisphere.cli import build_parser

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "compose" / "Dockerfile").read_text()
PINNED = re.compile(r"^[a-z0-9./-]+:\d+\.\d+\.\d+[a-z0-9.-]*$")


def steps(word: str) -> list[list[str]]:
    """The Dockerfile's instructions of one kind, split into words."""
    return [shlex.split(line)[1:] for line in DOCKERFILE.splitlines() if line.startswith(f"{word} ")]


def test_three_services_that_wait_for_a_broker_in_health() -> None:
    assert set(SERVICES) == {"broker", "home-assistant", "somnisphere"}
    assert all(service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL") for service in SERVICES.values())
    for name in ("home-assistant", "somnisphere"):
        assert SERVICES[name]["depends_on"] == {"broker": {"condition": "service_healthy"}}


def test_nothing_is_reached_from_outside_and_no_secret_stands_there() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:1883:1883", "127.0.0.1:8123:8123"]
    for service in SERVICES.values():
        assert not {"privileged", "network_mode", "env_file", "secrets"} & set(service)
        assert not re.search(r"password|token|secret", str(service.get("environment")), re.IGNORECASE)


def test_every_image_is_of_one_version() -> None:
    named = [SERVICES[name]["image"] for name in ("broker", "home-assistant")]
    assert all(map(PINNED.fullmatch, [*named, *(step[0] for step in steps("FROM"))]))


def test_every_file_and_volume_that_is_named_is_there() -> None:
    for service in SERVICES.values():
        for source, target, *rest in (volume.split(":") for volume in service["volumes"]):
            assert target.startswith("/")
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
                assert rest == ["ro"], f"{source} is the repository's"
            else:
                assert source in COMPOSE["volumes"]
    build = SERVICES["somnisphere"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_the_image_is_made_of_what_is_there() -> None:
    ignored = (DEPLOY / "compose" / "Dockerfile.dockerignore").read_text().splitlines()
    for *sources, _ in steps("COPY"):
        for source in sources:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored, f"{source} is not in the context"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (installed,) = (step for step in steps("RUN") if step[:2] == ["pip", "install"])
    named = re.fullmatch(r"\.\[([a-z,]+)\]", installed[-1])
    assert named is not None
    assert set(named[1].split(",")) <= set(extras)


@pytest.mark.parametrize(
    ("script", "well"),
    [("echo bedside: story", True), ("echo bedside: offline", False), ("exit 2", False)],
)
def test_its_sign_of_health_is_a_bedside_that_is_there(script: str, well: bool, tmp_path: Path) -> None:
    """With a somnisphere of the test's own, which writes down what it is asked."""
    kind, line = SERVICES["somnisphere"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    program, told = tmp_path / "somnisphere", tmp_path / "told"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}\n{script}\n')
    program.chmod(0o755)
    done = subprocess.run(["/bin/sh", "-c", line.replace("$$", "$")], env={"PATH": str(tmp_path)}, check=False)
    assert (done.returncode == 0) is well
    arguments = build_parser().parse_args(told.read_text().split())
    assert (arguments.command, arguments.once) == ("watch", True)
    assert arguments.broker == SERVICES["somnisphere"]["environment"]["SOMNISPHERE_BROKER"]


@pytest.mark.broker
def test_mosquitto_takes_its_configuration_and_says_that_it_is_well(tmp_path: Path) -> None:
    text = (DEPLOY / "compose" / "mosquitto.conf").read_text()
    _, program, *words = SERVICES["broker"]["healthcheck"]["test"]
    if shutil.which(program) is None:
        pytest.skip("mosquitto_sub is not installed (apt install mosquitto-clients)")
    port = free_port()
    changed = text.replace("listener 1883", f"listener {port} {HOST}").replace("/mosquitto/data/", f"{tmp_path}/")
    changed = changed.replace("persistence true", "")  # the test's own broker keeps nothing; "false" stands there
    assert changed.count(str(port)) == 1
    with mosquitto(extra_config=changed):
        words = [word.replace("$$", "$") for word in words]
        done = subprocess.run([program, "-p", str(port), *words], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


def test_night_after_night_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """With a somnisphere of the test's own: its first night breaks off, its second lasts until somebody ends it."""
    told, program, its_id = tmp_path / "told", tmp_path / "bin" / "somnisphere", tmp_path / "id"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {told}\n[ $(wc -l < {told}) = 1 ] && exit 3\n'
        f"echo $$ > {its_id}.new; mv {its_id}.new {its_id}; exec tail -f /dev/null\n"
    )
    pause = program.with_name("sleep")
    pause.write_text("#!/bin/sh\n")
    for path in (program, pause):
        path.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "SOMNISPHERE_BROKER": "broker:1883",
        "SOMNISPHERE_NIGHTS": str(tmp_path),
    }
    with subprocess.Popen(["sh", str(DEPLOY / "compose" / "nights.sh")], env=environment) as process:
        until_s = time.monotonic() + 20
        while not its_id.exists():
            assert time.monotonic() < until_s
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(its_id.read_text()), 0)
    first, second, *_ = told.read_text().splitlines()
    nights = [build_parser().parse_args(line.split()) for line in (first, second)]
    assert [(night.command, night.seed, night.speed, night.broker) for night in nights] == [
        ("rehearse", 1, 60.0, "broker:1883"),
        ("rehearse", 2, 60.0, "broker:1883"),
    ]
