"""What plays the stories: mpv, and the sound card that it is to play on. A tenth of a second of silence is tried."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.service import daemon_runs
from somnisphere.doctor.world import THIS_MACHINE, World

PART = "player"
_WAIT_S = 8.0
"""A Pi Zero may take seconds to load mpv from its card."""
_SILENCE = ("--no-config", "--no-video", "--length=0.1", "av://lavfi:anullsrc")


def check_sound(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    if config.speaker.home_player:
        yield Finding(PART, True, f"{config.speaker.home_player} of Home Assistant")
        return
    mpv = shutil.which("mpv")
    if mpv is None:
        yield Finding(PART, False, "mpv is not installed", "sudo apt install mpv")
        return
    yield _card(config, world) or _playing(config, mpv, world)


def _card(config: Config, world: World) -> Finding | None:
    """What is wrong with the sound card of an ALSA speaker, without asking mpv."""
    if config.speaker.ao != "alsa":
        return None
    folder = world.at("dev/snd")
    outputs = sorted(folder.glob("pcmC*p"))
    if not outputs:
        mend = "plug one in (USB, I2S, HDMI), or dtparam=audio=on in /boot/firmware/config.txt on a Pi with a jack"
        return Finding(PART, False, "this box has no sound card that plays (/dev/snd has none)", mend)
    if not any(os.access(output, os.R_OK | os.W_OK) for output in outputs):
        mend = "sudo usermod -aG audio $USER, then log in again"
        return Finding(PART, False, f"{outputs[0]} may not be used by this user", mend)
    wanted = re.search(r"CARD=([^,]+)", config.speaker.device)
    cards = card_names(world)
    if wanted and cards and wanted[1] not in cards:
        mend = f"correct speaker.device; the cards are {', '.join(cards)}"
        return Finding(PART, False, f"there is no sound card {wanted[1]}", mend)
    return None


def card_names(world: World = THIS_MACHINE) -> list[str]:
    """As ALSA names them: ``CARD=`` of a device."""
    return re.findall(r"^\s*[0-9]+ \[(\S+)\s*\]", world.text("proc/asound/cards"), re.MULTILINE)


def _playing(config: Config, mpv: str, world: World) -> Finding:
    speaker = config.speaker
    place = speaker.device or f"the default device of {speaker.ao}"
    if speaker.ao == "null":
        return Finding(PART, True, f"{mpv}, silent (speaker.ao is null)")
    if daemon_runs(world):
        return Finding(PART, True, f"{mpv}; the daemon has the sound")
    device = [f"--audio-device={speaker.device}"] if speaker.device else []
    done = _asked(mpv, f"--ao={speaker.ao}", *device, *_SILENCE)
    if done is None:
        mend = "is that device's cable in? try in a terminal: mpv --ao=" + speaker.ao + " and a file of sound"
        return Finding(PART, False, f"mpv did not play on {place} within {_WAIT_S:g} s", mend)
    if done.returncode == 0:
        return Finding(PART, True, f"{mpv} plays on {place}")
    why = next((line for line in done.stdout.splitlines() if line.startswith("[ao")), "it does not say why")
    return Finding(PART, False, f"mpv cannot play on {place}: {why}", _other(mpv, speaker.ao))


def _other(mpv: str, ao: str) -> str:
    """Where mpv could play instead."""
    done = _asked(mpv, "--no-config", f"--ao={ao}", "--audio-device=help")
    devices = re.findall(r"^\s+'([^']+)'", done.stdout if done else "", re.MULTILINE)
    found = [device for device in devices if device.startswith(f"{ao}/")]
    if not found:
        return f"mpv finds no device of {ao}; is another program playing, is speaker.ao the right one?"
    return f"correct speaker.ao and speaker.device; mpv finds {', '.join(found[:8])}"


def _asked(mpv: str, *options: str) -> "subprocess.CompletedProcess[str] | None":
    try:
        return subprocess.run(
            [mpv, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, errors="replace", timeout=_WAIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
