"""Sleep estimates become cues: slept, stirred, resettled, distressed, woke, rose, night over.

Rules, each slow enough that one wrong epoch changes nothing:
    slept      drowsiness has been likely for ``HOLD_EPOCHS``, or where only stages are known the last
               ``SLEPT_EPOCHS`` all say sleep is likely; onset is dated back to the first epoch of that run
    stirred    ``STIRRED_EPOCHS`` in a row say awake is likelier than asleep; before sleep has once been likely, that
               awake is likely (who is just falling asleep is half awake)
    resettled  the last ``SLEPT_EPOCHS`` all say sleep is likely, after stirring
    distressed asleep, the heart well above its usual and the body moving; ``sleep/distress.py``
    woke       awake for ``WOKE_EPOCHS`` while it is morning by the clock
    rose       in bed before, not in bed now; in the morning that is waking too
    night over out of bed for ``MORNING_OUT_S`` in the morning, ``NIGHT_OUT_S`` at any hour, or the night is too long

An epoch of which nothing is known moves nothing; after ``UNKNOWN_EPOCHS`` of them we no longer say asleep or awake.
"""

from dataclasses import dataclass

from somnisphere.bedtime.phases import Cue
from somnisphere.night import EPOCH_S, Epoch, StageEstimate
from somnisphere.sleep.distress import DistressWatch
from somnisphere.sleep.drowsiness import HOLD_EPOCHS, LIKELY

SLEPT_EPOCHS = 5
STIRRED_EPOCHS = 2
WOKE_EPOCHS = 20
UNKNOWN_EPOCHS = 20
LIKELY_ASLEEP = 0.7
LIKELY_AWAKE = 0.3
HALF_AWAKE = 0.5
"""P(sleep) at or below which a sound sleeper stirs; chosen on the scored nights, where with ``LIKELY_AWAKE`` fewer
wakings were said, and later. ``tests/bench/staging.py`` prints how often, how soon and how falsely."""
MORNING_OUT_S = 20 * 60.0
NIGHT_OUT_S = 90 * 60.0
NIGHT_LIMIT_S = 16 * 3600.0


@dataclass(frozen=True, slots=True)
class CueGiven:
    """``since_s``: when what the cue tells began, seen with hindsight (sleep onset for SLEPT)."""

    cue: Cue
    at_s: float
    since_s: float
    confidence: float | None = None


class SleepWatch:
    """Follows one night. ``asleep`` is None while nobody can say."""

    def __init__(self) -> None:
        self.asleep: bool | None = None
        self._run: list[tuple[float, float]] = []  # (start_s, P(sleep)) of the current run on the other side
        self._awake_epochs = 0
        self._unknown_epochs = 0
        self._has_slept = False
        self._settled = False
        self._woke = False
        self._in_bed: bool | None = None
        self._out_since_s: float | None = None
        self._began_s: float | None = None
        self._distress = DistressWatch()

    @property
    def distressed(self) -> bool:
        """Whether distress goes on, said or not."""
        return self._distress.present

    def step(self, epoch: Epoch, estimate: StageEstimate, *, is_morning: bool) -> list[CueGiven]:
        """Take the next epoch in order; return the cues it gives."""
        end_s = epoch.start_s + EPOCH_S
        if self._began_s is None:
            self._began_s = epoch.start_s
        cues = self._bed(epoch, end_s, is_morning)
        cues += self._on_estimate(epoch, estimate, end_s, is_morning)
        if (since_s := self._distress.step(epoch, asleep=bool(self.asleep))) is not None:
            cues.append(CueGiven(Cue.DISTRESSED, end_s, since_s))
        return cues

    def _on_estimate(self, epoch: Epoch, estimate: StageEstimate, end_s: float, is_morning: bool) -> list[CueGiven]:
        p_sleep = estimate.sleep_probability  # may be known where no single stage stands out
        if p_sleep is None:
            self._unknown_epochs += 1
            self._run.clear()
            if self._unknown_epochs >= UNKNOWN_EPOCHS:
                self.asleep = None
            return []
        self._unknown_epochs = 0
        if self.asleep:
            return self._while_asleep(epoch.start_s, end_s, p_sleep)
        falling_asleep = None if self._has_slept else estimate.drowsiness
        if falling_asleep is None:
            return self._while_awake(epoch.start_s, end_s, p_sleep, is_morning)
        likely_awake = p_sleep <= LIKELY_AWAKE  # else it would be told as stirring at once
        return self._while_drowsy(epoch.start_s, end_s, 0.0 if likely_awake else falling_asleep)

    def _while_drowsy(self, start_s: float, end_s: float, drowsiness: float) -> list[CueGiven]:
        """Before the night's first sleep."""
        if drowsiness < LIKELY:
            self._run.clear()
            self.asleep = False
            return []
        self._run.append((start_s, drowsiness))
        if len(self._run) < HOLD_EPOCHS:
            return []
        return [self._slept(Cue.SLEPT, end_s, drowsiness)]

    def _while_asleep(self, start_s: float, end_s: float, p_sleep: float) -> list[CueGiven]:
        self._settled |= p_sleep >= LIKELY_ASLEEP
        if p_sleep > (HALF_AWAKE if self._settled else LIKELY_AWAKE):
            self._run.clear()
            return []
        self._run.append((start_s, p_sleep))
        if len(self._run) < STIRRED_EPOCHS:
            return []
        since_s = self._run[0][0]
        self.asleep = False
        self._awake_epochs = len(self._run)
        self._run.clear()
        return [CueGiven(Cue.STIRRED, end_s, since_s, 1.0 - p_sleep)]

    def _while_awake(self, start_s: float, end_s: float, p_sleep: float, is_morning: bool) -> list[CueGiven]:
        if p_sleep < 0.5:
            self._run.clear()
            self.asleep = False
            self._awake_epochs += 1
            if self._has_slept and not self._woke and is_morning and self._awake_epochs >= WOKE_EPOCHS:
                self._woke = True
                return [CueGiven(Cue.WOKE, end_s, end_s - self._awake_epochs * EPOCH_S, 1.0 - p_sleep)]
            return []
        self._run.append((start_s, p_sleep))
        recent = self._run[-SLEPT_EPOCHS:]
        if len(recent) < SLEPT_EPOCHS or min(p for _, p in recent) < LIKELY_ASLEEP:
            return []
        cue = Cue.RESETTLED if self._has_slept and not self._woke else Cue.SLEPT
        return [self._slept(cue, end_s, p_sleep)]

    def _slept(self, cue: Cue, end_s: float, confidence: float) -> CueGiven:
        since_s = self._run[0][0]
        self.asleep, self._has_slept, self._woke, self._awake_epochs = True, True, False, 0
        self._settled = False
        self._run.clear()
        return CueGiven(cue, end_s, since_s, confidence)

    def _bed(self, epoch: Epoch, end_s: float, is_morning: bool) -> list[CueGiven]:
        """Rising, and the end of the night."""
        cues: list[CueGiven] = []
        if epoch.in_bed is False and self._in_bed:
            self._out_since_s = epoch.start_s
            if is_morning and self._has_slept and not self._woke:
                self._woke = True
                cues.append(CueGiven(Cue.WOKE, end_s, epoch.start_s))
            cues.append(CueGiven(Cue.ROSE, end_s, epoch.start_s))
            self.asleep = False
            self._run.clear()
        elif epoch.in_bed:
            self._out_since_s = None
        if epoch.in_bed is not None:
            self._in_bed = epoch.in_bed
        assert self._began_s is not None
        out_s = 0.0 if self._out_since_s is None else end_s - self._out_since_s
        too_long = end_s - self._began_s >= NIGHT_LIMIT_S
        if out_s >= NIGHT_OUT_S or (is_morning and out_s >= MORNING_OUT_S) or too_long:
            cues.append(CueGiven(Cue.NIGHT_OVER, end_s, end_s - out_s))
        return cues
