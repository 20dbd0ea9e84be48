from dataclasses import replace

import pytest
from tests.pulse_waves import lying_still, motion_blocks

from somnisphere.night import Beat, Epoch, Presence
from somnisphere.sleep.epochs import make_epoch
from somnisphere.sleep.heart import Heart
from somnisphere.sleep.motion import Motion


def epoch_of(heart: Heart, motion: Motion, index: int = 1) -> Epoch:
    return make_epoch(
        index,
        index * 30.0,
        heart,
        motion,
        breath_bpm=14.0,
        spo2_pct=None,
        presence=Presence.PULSE,
        in_bed=True,
    )


def test_an_epoch_says_what_its_senses_know() -> None:
    heart, motion = Heart(), Motion()
    # 60 a minute up to 40 s, then 75.
    at_s, beats = 0.0, list[Beat]()
    while at_s < 70:
        ibi_s = 1.0 if at_s < 40 else 0.8
        at_s += ibi_s
        beats.append(Beat(at_s, ibi_s, 0.9))
    heart.add(beats)
    motion.add(list(motion_blocks(lying_still(70.0, 25.0), 25.0)))
    epoch = epoch_of(heart, motion)
    assert (epoch.index, epoch.start_s, epoch.in_bed, epoch.presence) == (1, 30.0, True, Presence.PULSE)
    assert epoch.heart_series_bpm[0] == pytest.approx(60.0)
    assert epoch.heart_series_bpm[1] == pytest.approx(60.0)
    assert epoch.heart_series_bpm[2] == pytest.approx(67.0, abs=2.0)
    assert epoch.heart_series_bpm[3:] == pytest.approx((75.0,) * 3)
    assert epoch.heart_bpm == pytest.approx(60 * epoch.beat_count / 30.0, abs=2.0)
    assert epoch.rmssd_ms == pytest.approx(1000 * 0.2 / len(beats) ** 0.5, rel=0.3)
    assert epoch.pulse_quality == pytest.approx(1.0, abs=0.05)
    assert epoch.motion_counts == (0.0, 0.0)
    assert epoch.rhythm is None, "not asked for where movement is known"
    assert epoch.breath_bpm == 14.0


def test_only_intervals_of_a_still_body_make_a_rhythm() -> None:
    still = [Beat(0.9 * k, 0.9 + 0.03 * (-1) ** k, 0.9) for k in range(1, 70)]
    heart = Heart()
    heart.add(still)
    rhythm = epoch_of(heart, Motion()).rhythm
    assert rhythm is not None
    assert rhythm[0] == pytest.approx(60 / 0.9, rel=0.01)
    restless = Heart()
    restless.add([replace(beat, still=False) for beat in still])
    assert epoch_of(restless, Motion()).rhythm is None
    doubtful = Heart()
    doubtful.add([replace(beat, ibi_s=None) for beat in still])
    assert epoch_of(doubtful, Motion()).rhythm is None


def test_an_epoch_of_nothing_knows_nothing() -> None:
    epoch = epoch_of(Heart(), Motion())
    assert epoch.heart_bpm is None
    assert epoch.heart_series_bpm == (None,) * 6
    assert epoch.motion_counts == (None, None)
    assert (epoch.rmssd_ms, epoch.beat_count, epoch.pulse_quality) == (None, 0, 0.0)
