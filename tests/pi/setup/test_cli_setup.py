"""``somnisphere setup`` as it is called: at a real terminal (a pty), unattended, by a file, and where nobody is."""

import io
import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.brokers import mosquitto, open_way_to
from tests.cli_words import Output, configured, error_of

from somnisphere.cli import main
from somnisphere.config import load
from somnisphere.doctor.finding import Finding
from somnisphere.setup.deeds import Neighbourhood

DEADLINE_S = 30.0


class Typist:
    """Reads a terminal until it asks, and types."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._read_to = 0
        self.text = ""

    def until(self, words: str, within_s: float = DEADLINE_S) -> None:
        """Reads on until ``words`` come; AssertionError where they do not."""
        until_s = time.monotonic() + within_s
        while (found := self.text.find(words, self._read_to)) < 0:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, until_s - time.monotonic()))
            assert ready, f"“{words}” did not come: {self.text[self._read_to :]}"
            self.text += os.read(self._terminal, 65536).decode(errors="replace")
        self._read_to = found + len(words)

    def answer(self, words: str, line: str = "") -> None:
        self.until(words)
        self.type(f"{line}\r")

    def hang_up(self) -> None:
        """The terminal goes away: SIGHUP to whoever it belongs to, and nothing to read or write any more."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())


@contextmanager
def at_a_terminal(config: Path) -> Iterator[tuple[Typist, "subprocess.Popen[bytes]"]]:
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", sys.executable, "-m", "somnisphere", "--config", str(config), "setup"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        typist = Typist(ours)
        try:
            yield typist, process
        finally:
            if process.poll() is None:
                process.kill()
            typist.hang_up()


@pytest.mark.broker
def test_a_person_at_a_terminal_mistypes_the_password_once(tmp_path: Path) -> None:
    maker = shutil.which("mosquitto_passwd")
    if maker is None:
        pytest.skip("mosquitto_passwd is not installed (apt install mosquitto)")
    passwords, config = tmp_path / "passwords", tmp_path / "etc" / "somnisphere.toml"
    subprocess.run([maker, "-b", "-c", str(passwords), "bed", "sesame"], check=True)
    passwords.chmod(0o644)
    open_way_to(tmp_path)
    with (
        mosquitto(extra_config=f"allow_anonymous false\npassword_file {passwords}") as (host, port),
        at_a_terminal(config) as (typist, process),
    ):
        typist.until("not a medical device")
        typist.answer("What is it called? [Somnisphere]", "Mia's bed")
        typist.answer("one per bedside", "Mia")
        typist.until("allowed is 1 to 32 of a-z")
        typist.answer("one per bedside", "mia")
        for words in ("language of its entities", "Right?", "Who sleeps here?", "A child?", "Which bus"):
            typist.answer(words)
        typist.answer("no lamp")
        typist.answer("no button")
        if shutil.which("mpv") is not None:
            typist.answer("Which audio device?")
            typist.answer("Play a sound?", "n")
        typist.answer("Their folder")
        typist.answer("Its name or address", f"{host}:{port}")
        typist.answer("With TLS?")
        typist.answer("User name there", "bed")
        typist.answer("Password", "open")
        typist.until("check the user name and password")
        typist.answer("Then [1]")
        typist.answer("(- for none) [bed]")
        typist.answer("Password [as it is]", "sesame")
        typist.until("lets us in, with MQTT 5")
        typist.answer("Its address", "-")
        typist.until("mqtt.password in a file of its own")
        typist.answer("Write ")
        typist.until("It holds from the next start")
        assert process.wait(DEADLINE_S) == 0
    assert "sesame" not in typist.text, "a password is not shown"
    secret = config.parent / "mqtt-password"
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("sesame\n", 0o600)
    loaded = load(config)
    assert (loaded.box.name, loaded.box.node, loaded.mqtt.username) == ("Mia's bed", "mia", "bed")


def test_ctrl_c_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    config = configured(tmp_path, '[box]\nname = "Ours"\n')
    with at_a_terminal(config) as (typist, process):
        typist.answer("What is it called? [Ours]", "Theirs")
        typist.until("one per bedside")
        for _ in range(5):
            typist.type("\x03")
            with suppress(AssertionError):  # between showing the prompt and waiting, Python itself may miss one
                typist.until("Broken off", within_s=6.0)
                break
        assert process.wait(DEADLINE_S) == 130
    assert config.read_text() == '[box]\nname = "Ours"\n'
    assert os.listdir(tmp_path) == [config.name]


def test_where_there_is_no_terminal_the_way_is_said(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "somnisphere.toml"
    nobody = io.StringIO()
    monkeypatch.setattr(sys, "stdin", nobody)
    assert main(["--config", str(config), "setup"]) == 2
    assert "--yes" in error_of(capsys)
    assert not config.exists()


@pytest.mark.broker
def test_unattended_twice_by_a_file_of_answers(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("somnisphere.setup.network.look_around", lambda _: Neighbourhood())
    missing = (Finding("power", False, "too low", "another plug"), Finding("config", True, "fine"))
    monkeypatch.setattr("somnisphere.setup.hands.examine", lambda _: iter(missing))
    config, answers = tmp_path / "etc" / "somnisphere.toml", tmp_path / "answers.toml"
    with mosquitto() as (host, port):
        answers.write_text(
            f'[box]\nname = "Attic"\n[lamp]\npin = 18\n[mqtt]\nhost = "{host}"\nport = {port}\ntls = false\n'
            'username = "bed"\npassword = "sesame"\n'
        )
        assert main(["--config", str(config), "setup", "--answers", str(answers)]) == 0
        said = capsys.readouterr().out
        assert "lets us in" in said
        assert "  power: too low\n      mend: another plug\n" in said
        assert "sesame" not in said
        assert (config.parent / "mqtt-password").read_text() == "sesame\n"
        loaded = load(config)
        assert (loaded.box.name, loaded.lamp.pin, loaded.mqtt.port) == ("Attic", 18, port)
        before = config.read_bytes()
        assert main(["--config", str(config), "setup", "--yes"]) == 0
        assert "Nothing changes in" in capsys.readouterr().out
    assert config.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mqtt]\nhots = 1\n", "mqtt.hots is not asked; did you mean mqtt.host?"),
        ("[lamp]\npin = 99\n", "answers.toml: lamp.pin: found 99, allowed is a whole number from 0 to 27"),
        ("[mqtt]\nport = 1.5\n", "an answer is text"),
        ("mqtt", "cannot be read as TOML"),
    ],
)
def test_a_file_of_answers_that_will_not_do(text: str, words: str, tmp_path: Path, capsys: Output) -> None:
    answers, config = tmp_path / "answers.toml", tmp_path / "c.toml"
    answers.write_text(text)
    assert main(["--config", str(config), "setup", "--answers", str(answers)]) == 2
    assert words in capsys.readouterr().err
    assert not config.exists()


def test_a_configuration_that_is_broken_is_mended_by_hand_first(tmp_path: Path, capsys: Output) -> None:
    config = configured(tmp_path, "[mqtt]\nhots = 1\n")
    assert main(["--config", str(config), "setup", "--yes"]) == 2
    assert "mqtt.hots" in error_of(capsys)


def test_a_place_that_may_not_be_written_is_said_before_the_first_question(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("somnisphere.cli_setup.os.access", lambda *_: False)
    assert main(["--config", str(tmp_path / "x" / "c.toml"), "setup", "--yes"]) == 2
    assert f"{tmp_path} may not be written by this user: sudo somnisphere setup" in error_of(capsys)


UNIT = "somnisphere.service"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a systemctl of the test's own was told: a line each."""
    file, program = tmp_path / "told", tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {file}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return file


def test_a_daemon_that_runs_rests_meanwhile(
    told: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "c.toml"

    def ctrl_c(_: object) -> Neighbourhood:
        raise KeyboardInterrupt

    monkeypatch.setattr("somnisphere.setup.network.look_around", ctrl_c)
    assert main(["--config", str(config), "setup", "--yes"]) == 130
    assert told.read_text().splitlines() == [f"is-active --quiet {UNIT}", f"stop {UNIT}", f"start {UNIT}"]
    assert f"({UNIT} runs again.)" in capsys.readouterr().out
    assert not config.exists()


def test_a_terminal_that_goes_away_leaves_the_daemon_running(told: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    with at_a_terminal(config) as (typist, process):
        typist.until("What is it called?")
        assert told.read_text().splitlines()[-1] == f"stop {UNIT}"
        typist.hang_up()
        process.wait(DEADLINE_S)
    assert told.read_text().splitlines()[-1] == f"start {UNIT}"
    assert not config.exists()
