"""What a model said of nights that people scored, and the row of figures that follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from somnisphere.cues import LIKELY_AWAKE
from somnisphere.night import EPOCH_S, STAGES, StageEstimate
from somnisphere.sleep.drowsiness import HOLD_EPOCHS, LIKELY
from somnisphere.sleep.facts import UNKNOWN, onset_of, ranges, summarize
from somnisphere.training.figures import (
    asleep,
    bootstrap_interval,
    calibration_error,
    kappa,
    specificity_at,
    wake_nrem_rem,
)

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
_MIN = EPOCH_S / 60.0
_AWAKE_ON_EPOCHS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One night: ``stage`` (n,) as people scored it, -1 not scored; ``probabilities`` (n, 4); the first ``added``
    epochs were put before the recording and are not scored, only staged."""

    subject: str
    stage: Labels
    probabilities: Floats
    added: int
    drowsiness: Floats | None = None
    """(n,), live only."""

    @property
    def scored(self) -> NDArray[np.bool_]:
        return (self.stage >= 0) & (np.arange(len(self.stage)) >= self.added)

    @property
    def truth(self) -> Labels:
        return np.asarray(self.stage[self.scored])

    @property
    def shares(self) -> Floats:
        return np.asarray(self.probabilities[self.scored])

    @property
    def said(self) -> Labels:
        return np.asarray(self.shares.argmax(axis=1))

    def minutes_wrong(self) -> tuple[float, float, float | None, float, float]:
        """Said minus true minutes of total sleep, WASO, onset latency (None: no onset), REM and deep."""
        truth, said = self.truth, self.said
        times = []
        for stages in (truth, said):
            sleeping = stages > 0
            onset = onset_of(sleeping)
            waso = np.nan if onset is None else float((~sleeping[onset:]).sum())
            times.append((float(sleeping.sum()), waso, np.nan if onset is None else float(onset)))
        total, waso, latency = (_MIN * (b - a) for a, b in zip(*times, strict=True))
        rem, deep = (_MIN * float((said == k).sum() - (truth == k).sum()) for k in (3, 2))
        return total, waso, None if np.isnan(latency) else latency, rem, deep

    def onset_delay_min(self) -> float | None:
        """Minutes from the start of true sleep to the end of the epoch in which "asleep" was first said without being
        false, negative when it was too soon; infinite when it was never said. None: nobody slept."""
        truth = onset_of(self.stage > 0)
        if truth is None:
            return None
        said = [k for k in np.flatnonzero(self._said_asleep()) if not self._false(int(k))]
        return float(said[0] + 1 - truth) * _MIN if said else float("inf")

    def false_onsets(self) -> int:
        """How often "asleep" began to be said before true onset with the reference awake for ten minutes more."""
        truth = onset_of(self.stage > 0)
        said = self._said_asleep()
        begun = np.flatnonzero(said & ~np.concatenate([[False], said[:-1]]))
        return sum(self._false(int(k)) for k in begun[begun < (len(said) if truth is None else truth)])

    def _false(self, k: int) -> bool:
        return bool((self.stage[k : k + _AWAKE_ON_EPOCHS] <= 0).all())

    def _said_asleep(self) -> NDArray[np.bool_]:
        """Where drowsiness has been ``LIKELY`` for ``HOLD_EPOCHS`` on end, as the night's watch wants it."""
        assert self.drowsiness is not None
        likely = (self.drowsiness >= LIKELY) & (self.probabilities[:, 0] < 1.0 - LIKELY_AWAKE)
        high = np.concatenate([np.zeros(HOLD_EPOCHS - 1, dtype=bool), likely])
        return np.asarray(np.lib.stride_tricks.sliding_window_view(high, HOLD_EPOCHS).all(axis=1))


COLUMNS = (
    "acc4",
    "k4 [95 %]",
    "k4 by night",
    "recall W / L / D / R",
    "acc3",
    "k3",
    "sens / spec",
    "k2",
    "spec at sens .93",
    "TST / WASO / SOL min",
    "REM / deep min",
    "ECE",
    "surest half",
)


def figures_row(nights: Sequence[Judged]) -> list[str]:
    """One cell for each of ``COLUMNS``. Kappas are of all epochs together, the interval resamples nights; minutes:
    median absolute error of TST, WASO and SOL, mean error of REM and deep."""
    truth, said, shares = _joined(nights)
    wrong = [night.minutes_wrong() for night in nights]
    size = [median_absolute([w[k] for w in wrong]) for k in range(3)]
    rem, deep = (float(np.mean([w[k] for w in wrong])) for k in (3, 4))
    recall = [float((said[truth == k] == k).mean()) if (truth == k).any() else np.nan for k in range(4)]
    low, high = bootstrap_interval(len(nights), lambda chosen: kappa(*_joined([nights[i] for i in chosen])[:2]))
    sleeping = asleep(truth)
    confidence = shares.max(axis=1)
    surest = confidence >= np.median(confidence)
    return [
        f"{(truth == said).mean():.3f}",
        f"{kappa(truth, said):.3f} [{low:.2f}, {high:.2f}]",
        f"{np.mean([kappa(night.truth, night.said) for night in nights]):.3f}",
        " / ".join(f"{r:.2f}" for r in recall),
        f"{(wake_nrem_rem(truth) == wake_nrem_rem(said)).mean():.3f}",
        f"{kappa(wake_nrem_rem(truth), wake_nrem_rem(said)):.3f}",
        f"{(said[truth > 0] > 0).mean():.2f} / {(said[truth == 0] == 0).mean():.2f}",
        f"{kappa(sleeping, asleep(said)):.3f}",
        f"{specificity_at(sleeping, 1.0 - shares[:, 0], 0.93):.2f}",
        " / ".join(f"{s:.1f}" for s in size),
        f"{rem:+.0f} / {deep:+.0f}",
        f"{calibration_error(truth, shares):.3f}",
        f"{(truth == said)[surest].mean():.3f}",
    ]


def moments_line(nights: Sequence[Judged]) -> str:
    """How soon and how falsely the live answer says "asleep"."""
    delays = [delay for night in nights if (delay := night.onset_delay_min()) is not None]
    low, middle, high = np.percentile(delays, [25, 50, 75])
    false = sum(night.false_onsets() for night in nights) / len(nights)
    return (
        f"said {middle:+.1f} min after true onset (median; quartiles {low:+.1f}, {high:+.1f}; {len(delays)} of"
        f" {len(nights)} nights), {false:.2f} false a night."
    )


def ranges_line(nights: Sequence[Judged]) -> str:
    """How often the truth lay in the range that is given with each fact of a night, and how wide that was."""
    held: dict[str, list[bool]] = {}
    width: dict[str, list[float]] = {}
    for night in nights:
        whole = _estimates(np.where(night.stage < 0, UNKNOWN, night.stage), None)
        said = _estimates(night.probabilities.argmax(axis=1), night.probabilities)
        facts, found = summarize(whole), ranges(said)
        rows = {
            "fell asleep": (facts.onset_s, found.onset_s, 60.0),
            "final waking": (facts.final_waking_s, found.final_waking_s, 60.0),
            "total sleep": (facts.sleep_min, found.sleep_min, 1.0),
            "WASO": (facts.waso_min, found.waso_min, 1.0),
            "awakenings": (facts.awakenings, found.awakenings, 1.0),
            **{stage.value: (facts.stage_min[stage], found.stage_min[stage], 1.0) for stage in STAGES},
        }
        for name, (truth, bounds, unit) in rows.items():
            if truth is not None and bounds is not None:
                held.setdefault(name, []).append(bounds.low <= truth <= bounds.high)
                width.setdefault(name, []).append((bounds.high - bounds.low) / unit)
    return "; ".join(f"{name} {np.mean(held[name]):.2f} ({np.median(width[name]):.0f})" for name in held) + "."


def _estimates(stage: Labels, probabilities: Floats | None) -> list[StageEstimate]:
    shares = [None] * len(stage) if probabilities is None else list(map(tuple, probabilities.tolist()))
    return [
        StageEstimate(k, k * EPOCH_S, None if code == UNKNOWN else STAGES[code], share)
        for k, (code, share) in enumerate(zip(stage.tolist(), shares, strict=True))
    ]


def median_absolute(values: Sequence[float | None]) -> float:
    known = [abs(value) for value in values if value is not None and not np.isnan(value)]
    return float(np.median(known)) if known else float("nan")


def _joined(nights: Sequence[Judged]) -> tuple[Labels, Labels, Floats]:
    cells: list[Callable[[Judged], NDArray[np.generic]]] = [lambda n: n.truth, lambda n: n.said, lambda n: n.shares]
    truth, said, shares = (np.concatenate([cell(night) for night in nights]) for cell in cells)
    return truth.astype(np.int64), said.astype(np.int64), shares.astype(np.float64)
