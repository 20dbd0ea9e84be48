"""The evening in the ear: the ritual, the real mpv, and the sound that comes out of it."""

import shutil
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.hardware.listening import make_story
from tests.hardware.pipe_ear import RATE_HZ, PipeEar

from somnisphere.bedtime.fades import FadeSettings
from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import Ritual, RitualSettings
from somnisphere.bedtime.shelf import Shelf
from somnisphere.events import (
    PauseStory,
    PlayerReported,
    PlayStory,
    ResumeStory,
    RitualAction,
    SetGain,
    StopStory,
)
from somnisphere.story import Story
from somnisphere_hardware.mpv_speaker import MpvSpeaker

pytestmark = [
    pytest.mark.mpv,
    pytest.mark.skipif(shutil.which("mpv") is None, reason="there is no mpv; install it: sudo apt install mpv"),
]
STEP_S = 0.5
WINDOW_S = 0.25
PACE = 3.0
"""The sound's time runs this much faster than ours."""
PATIENCE_S = 30.0


class HeardBedside:
    """A ritual with a real mpv. Its clock is the sound."""

    def __init__(self, folder: Path, story: Story, ear: PipeEar, settings: RitualSettings) -> None:
        self.ear = ear
        self.ritual = Ritual(settings, Shelf([story]))
        self.speaker = MpvSpeaker(folder / "run", ao="pcm", options=ear.options)
        self.at_s = 0.0
        self.playing = False

    def do(self, actions: Sequence[RitualAction]) -> None:
        for action in actions:
            match action:
                case PlayStory():
                    self.speaker.play(action.path, action.position_s, action.gain_db)
                    self.playing = True
                case SetGain():
                    self.speaker.set_gain(action.gain_db)
                case PauseStory():
                    self.speaker.pause()
                    self.playing = False
                case ResumeStory():
                    self.speaker.resume(action.gain_db)
                    self.playing = True
                case StopStory():
                    self.speaker.stop()
                    self.playing = False

    def live(self, likelihood: float | None) -> float | None:
        """Half a second of the evening; the gain that is told now, None: nothing plays any more."""
        self.at_s += STEP_S
        self.do(self.ritual.tick(self.at_s, likelihood))
        for report in self.speaker.step(time.monotonic()):
            told = PlayerReported(self.at_s, report.state, report.path, report.position_s, report.problem)
            if report.state != "playing":  # the sound's own time is not the evening's here
                self.do(self.ritual.player(told))
        return self.ritual.state.gain_db if self.playing else None

    def begin(self) -> float:
        """Up to the first sound; its level."""
        self.do(self.ritual.receive(Cue.BEGIN, self.at_s))
        self.do(self.ritual.receive(Cue.SETTLED, self.at_s))
        deadline_s = time.monotonic() + PATIENCE_S
        while self.ear.at_s < 2 * WINDOW_S:
            assert time.monotonic() < deadline_s
            self.speaker.step(time.monotonic())
            time.sleep(0.01)
        return level_db(self.ear.last(WINDOW_S))

    def falls_silent(self) -> bool:
        """Whether mpv stops putting out sound (soon: what it had begun to write is still to come)."""
        deadline_s = time.monotonic() + PATIENCE_S
        heard_s, since_s = self.ear.at_s, time.monotonic()
        while time.monotonic() < deadline_s and time.monotonic() - since_s < 1.5:
            if self.ear.at_s > heard_s:
                heard_s, since_s = self.ear.at_s, time.monotonic()
            time.sleep(0.02)
        return time.monotonic() - since_s >= 1.5

    def heard_at(self, wanted_db: float) -> float:
        """The level of the sound, as soon as it is within half a decibel of ``wanted_db``."""
        deadline_s = time.monotonic() + PATIENCE_S
        while abs((heard_db := level_db(self.ear.last(WINDOW_S))) - wanted_db) >= 0.5:
            assert time.monotonic() < deadline_s, f"the sound is at {heard_db:.2f} dB, told was {wanted_db:.2f} dB"
            self.speaker.step(time.monotonic())
            time.sleep(0.01)
        return heard_db


def level_db(samples: NDArray[np.float32]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples.astype(np.float64)))) + 1e-12))


def test_the_sound_follows_the_fade(tmp_path: Path) -> None:
    """Within half a decibel at every step of a fade, from the evening's level to the floor; then silence."""
    story = Story("tone.wav", "A tone", make_story(tmp_path / "tone.wav", 900.0, amplitude=16000), 900.0)
    settings = RitualSettings(wind_down_s=1.0, fade=FadeSettings(fade_s=100.0, floor_db=-10.0))
    steps = list[tuple[float, float]]()
    with PipeEar(tmp_path, PACE) as ear:
        bed = HeardBedside(tmp_path, story, ear, settings)
        try:
            full_db = bed.begin()
            told_from_db = told_db = bed.ritual.state.gain_db
            while bed.at_s < 400.0:
                gain_db = bed.live(0.05 if bed.at_s < 10 else min(0.95, bed.at_s / 80))
                if gain_db is None:
                    break
                if gain_db != told_db:
                    told_db = gain_db
                    steps.append((gain_db - told_from_db, bed.heard_at(full_db + gain_db - told_from_db) - full_db))
                if bed.at_s == 70.0:
                    bed.do(bed.ritual.slept(bed.at_s, bed.at_s - 60.0))
            assert bed.falls_silent()
        finally:
            bed.speaker.close()
    assert not bed.playing, "settled, and silent"
    assert bed.ritual.state.phase is Phase.ASLEEP
    told, heard = zip(*steps, strict=True)
    assert told[-1] == pytest.approx(-10.0, abs=0.25)
    assert len(steps) >= 40
    assert heard == pytest.approx(told, abs=0.5)
    samples = ear.samples()
    window = round(WINDOW_S * RATE_HZ)
    levels = [level_db(samples[k : k + window]) for k in range(window, len(samples) - window, window)]
    assert max(later - sooner for sooner, later in pairwise(levels)) < 0.1, "the sound never rises on its way"
