"""A story told into a microphone: the real commands and the real ffmpeg, an arecord that plays what espeak-ng says."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mutagen
import pytest

from somnisphere import cli_telling
from somnisphere.errors import UserError
from somnisphere.telling import microphone
from somnisphere.telling.loudness import Loudness, measure

LEAD_S = 2.0


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of a quiet room, four or so of speech, three of the room: raw, 48 kHz."""
    folder = tmp_path_factory.mktemp("said")
    speech, raw = folder / "speech.wav", folder / "room.raw"
    text = "Once there was an owl who could not sleep, and the moon told her a story."
    subprocess.run(["espeak-ng", "-w", speech, text], check=True)
    voice = f"[0]volume=-20dB,adelay={LEAD_S * 1000:.0f},apad=pad_dur=3[v]"
    filters = f"{voice};[1]volume=-62dB[n];[v][n]amix=normalize=0:duration=first"
    noise = ["-f", "lavfi", "-i", "anoisesrc=duration=60:seed=1"]
    form = ["-f", "s16le", "-ar", "48000", "-ac", "1"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", speech, *noise, "-filter_complex", filters, *form, raw], check=True)
    return raw


def put_arecord(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / "arecord"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def speech_s(raw: Path) -> float:
    return raw.stat().st_size / 2 / 48000 - LEAD_S - 3.0


def config_of(tmp_path: Path) -> Path:
    stories = tmp_path / "stories"
    path = tmp_path / "somnisphere.toml"
    path.write_text(f'[stories]\nfolder = "{stories}"\n[speaker]\nao = "null"\n[voice]\nengine = "espeak"\n')
    return path


def command(tmp_path: Path, *words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, default=config_of(tmp_path))
    cli_telling.add_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(words)
    return int(arguments.handler(arguments))


def test_a_telling_becomes_a_story(
    said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_arecord(tmp_path / "bin", f'echo "$@" > {tmp_path}/asked; exec cat {said}', monkeypatch)
    assert command(tmp_path, "record", "Owl/moon: a story", "--teller", "Grandma Ruth") == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.parent == tmp_path / "stories"
    tags = mutagen.File(path, easy=True)
    assert tags["title"] == ["Owl/moon: a story"]
    assert tags["artist"] == ["Grandma Ruth"]
    assert tags.info.length == pytest.approx(speech_s(said) + 2 * microphone.MARGIN_S, abs=0.5)
    loudness = measure(path)
    assert isinstance(loudness, Loudness)
    assert loudness.integrated_lufs == pytest.approx(-20, abs=1.0) or loudness.true_peak_dbtp == pytest.approx(
        -2, abs=1
    )
    assert [entry.name for entry in path.parent.iterdir()] == [path.name], "nothing else stays"
    assert "-r 48000" in (tmp_path / "asked").read_text()
    assert command(tmp_path, "record", "Owl/moon: a story") == 0
    assert len(list(path.parent.iterdir())) == 2, "a second telling replaces none"
    capsys.readouterr()
    assert command(tmp_path, "record", "Toad", "--teller", "Ruth", "--consent", "circle") == 0
    allowed = Path(f"{capsys.readouterr().out.strip()}.consent.toml").read_text()
    assert 'consent = "circle"\nconsent_by = "Ruth"\n' in allowed


def test_the_limit_and_the_stop_end_it(said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_arecord(tmp_path / "bin", f"cat {said}; exec sleep 60", monkeypatch)
    told = microphone.record("Short", "", tmp_path / "s", limit_s=3.0)
    assert isinstance(told, microphone.Told), told
    assert told.duration_s == pytest.approx(1.0 + microphone.MARGIN_S, abs=0.2)
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 15

    told = microphone.record("Stopped", "", tmp_path / "s", limit_s=600, stop=stop)
    assert isinstance(told, microphone.Told), told


def program_of(tmp_path: Path) -> list[str]:
    text = (
        "import argparse, sys\nfrom pathlib import Path\nfrom somnisphere import cli_telling\n"
        "parser = argparse.ArgumentParser()\nparser.add_argument('--config', type=Path)\n"
        "cli_telling.add_commands(parser.add_subparsers())\narguments = parser.parse_args()\n"
        "sys.exit(arguments.handler(arguments))\n"
    )
    return [sys.executable, "-c", text, "--config", str(config_of(tmp_path)), "record", "The owl", "--teller", "Ruth"]


def begun(said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "subprocess.Popen[bytes]":
    """A recording that has taken in all of ``said`` and still listens."""
    put_arecord(tmp_path / "bin", f"cat {said}; exec sleep 60", monkeypatch)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    # A child of a background job is born deaf to Control-C; this one is to hear it.
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *program_of(tmp_path)],
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        raws = list((tmp_path / "stories").glob(".*.recording"))
        if raws and raws[0].stat().st_size == said.stat().st_size:
            return process
        time.sleep(0.02)
    process.kill()
    raise AssertionError("it did not record")


def test_control_c_ends_it_in_order(said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = begun(said, tmp_path, monkeypatch)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    names = [path.stem for path in (tmp_path / "stories").iterdir()]
    assert names == ["The owl"]


def test_killed_mid_way_nothing_is_lost(
    said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    process = begun(said, tmp_path, monkeypatch)
    assert command(tmp_path, "record", "--recover") == 0
    assert "No recording was cut off" in capsys.readouterr().out, "one that still runs is left alone"
    process.kill()
    process.wait()
    assert command(tmp_path, "record", "--recover") == 0
    path = Path(capsys.readouterr().out.strip())
    tags = mutagen.File(path, easy=True)
    assert (tags["title"], tags["artist"]) == (["The owl"], ["Ruth"])
    assert tags.info.length == pytest.approx(speech_s(said) + 2 * microphone.MARGIN_S, abs=0.5)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("script", "said_to_person"),
    [
        ("echo 'arecord: main:831: audio open error: Device or resource busy' >&2; exit 1", "in use by another"),
        ("echo 'arecord: main:831: audio open error: No such file or directory' >&2; exit 1", "no such microphone"),
        ("echo 'ALSA lib: something new' >&2; exit 1", "something new"),
        ("exit 0", "did not say why"),
    ],
)
def test_no_microphone_is_one_sentence(
    script: str,
    said_to_person: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put_arecord(tmp_path / "bin", script, monkeypatch)
    assert command(tmp_path, "record", "Owl") == 2
    assert said_to_person in capsys.readouterr().err
    assert list((tmp_path / "stories").iterdir()) == []


def test_without_arecord_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    told = microphone.record("Owl", "", tmp_path / "s", limit_s=1)
    assert isinstance(told, microphone.NotTold)
    assert "apt install alsa-utils" in told.reason


def test_a_muted_microphone_and_a_missing_ffmpeg_keep_the_raw_sound(
    said: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_arecord(tmp_path / "bin", "exec head -c 200000 /dev/zero", monkeypatch)
    told = microphone.record("Mute", "", tmp_path / "s", limit_s=99)
    assert isinstance(told, microphone.NotTold)
    assert "muted" in told.reason
    assert told.raw is not None
    assert told.raw.exists()
    put_arecord(tmp_path / "bin", f"exec /bin/cat {said}", monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    told = microphone.record("Owl", "", tmp_path / "s", limit_s=99)
    assert isinstance(told, microphone.NotTold)
    assert "ffmpeg" in told.reason
    assert told.raw is not None
    assert told.raw.stat().st_size == said.stat().st_size


def test_tell_speaks_a_file_of_words_and_play_plays_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = tmp_path / "stories" / "owl.md"
    words.parent.mkdir()
    words.write_text("# The owl\n\nThe *owl* said: “Good night.” Then it slept.\n\nSo did we.\n")
    assert command(tmp_path, "tell", "owl.md", "--cache", str(tmp_path / "cache")) == 0
    spoken = Path(capsys.readouterr().out.strip())
    length_s = mutagen.File(spoken).info.length
    assert length_s > 3
    begun_s = time.monotonic()
    assert command(tmp_path, "play", str(spoken), "--from", f"{length_s - 1:.1f}") == 0
    assert time.monotonic() - begun_s < 0.8 * length_s + 5
    for wrong in (("tell", "missing.md"), ("play", "missing.opus"), ("tell", str(spoken))):
        with pytest.raises(UserError):
            command(tmp_path, *wrong)
    words.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no such story"):
        command(tmp_path, "tell", "owl.md")
    with pytest.raises(UserError, match="text"):
        command(tmp_path, "tell", str(words))
