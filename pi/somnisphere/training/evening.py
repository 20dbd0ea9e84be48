"""How well the evening follows real sleepers: the ritual run over scored nights, with answers of models that never saw
the sleeper. A story begins with each record; where does it stop, and where does it begin the next evening?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from somnisphere.bedtime.phases import Cue
from somnisphere.bedtime.ritual import Ritual, RitualSettings
from somnisphere.bedtime.shelf import Shelf
from somnisphere.cues import SleepWatch
from somnisphere.events import KeepBookmark, PauseStory, PlayStory, ResumeStory, StopStory
from somnisphere.night import EPOCH_S, STAGES, StageEstimate, unknown_epoch
from somnisphere.sleep.dozing import dozed_off
from somnisphere.sleep.facts import onset_of
from somnisphere.story import Story
from somnisphere.training.judged import Floats, Judged

STEP_S = 1.0
LONGEST_S = 4 * 3600.0
TIMER_S = 1800.0
"""The plain sleep timer that people have today."""
LIMIT_S = 7200.0
"""The parent's limit, out of the way: what is judged is the following."""
NO_END = Story("story", "A story without end", Path("story"))
ANSWERED_AFTER_S = 12.0
"""An epoch is answered so long after its end, as on the box."""


@dataclass(frozen=True, slots=True)
class EveningJudged:
    """One evening; seconds count from the record's first epoch. ``onset_s``: of true sleep."""

    onset_s: float
    stopped_s: float | None
    """When the story fell silent for good; None: it did not within the hours looked at."""
    awake_at_stop: bool
    bookmark_s: float
    """When the sentence was heard with which the next evening begins."""
    other_s: float | None
    """When the sentence of the second place was heard, where one was kept."""


def follow(live: Judged, overnight: Judged, settings: RitualSettings | None = None) -> EveningJudged | None:
    """One night; None when nobody fell asleep in it (its record may begin asleep)."""
    true_onset = onset_of(live.stage > 0)
    if not true_onset:
        return None
    shelf = Shelf([NO_END])
    settings = settings or RitualSettings(story_limit_s=LIMIT_S)
    ritual, watch = Ritual(settings, shelf), SleepWatch()
    estimates = live_estimates(live)
    heard: list[tuple[float, float]] = []  # (at_s, position_s) while the story plays
    playing, position_s, answered, estimate = False, 0.0, 0, None
    stopped_s: float | None = None
    bookmark_s = 0.0
    ritual.receive(Cue.BEGIN, 0.0)
    actions = ritual.receive(Cue.SETTLED, 0.0)
    for step in range(int(min(LONGEST_S, len(estimates) * EPOCH_S) / STEP_S)):
        at_s = step * STEP_S
        while answered < len(estimates) and (answered + 1) * EPOCH_S + ANSWERED_AFTER_S <= at_s:
            estimate = estimates[answered]
            epoch = unknown_epoch(answered, 0.0)
            for given in watch.step(epoch, estimate, is_morning=False):
                if given.cue in (Cue.SLEPT, Cue.RESETTLED):
                    actions += ritual.slept(given.at_s, given.since_s, given.cue)
                elif given.cue is Cue.STIRRED:
                    actions += ritual.receive(given.cue, given.at_s)
            answered += 1
        likelihood = None if estimate is None else estimate.likelihood_of_sleep
        actions += ritual.tick(at_s, likelihood)
        for action in actions:
            match action:
                case PlayStory() | ResumeStory():
                    playing, stopped_s = True, None
                case PauseStory() | StopStory():
                    playing, stopped_s = False, at_s
                case KeepBookmark(position_s=kept_s):
                    bookmark_s = kept_s
        actions = []
        if playing:
            position_s += STEP_S
            heard.append((at_s, position_s))
        elif stopped_s is not None and at_s - stopped_s > 1800.0:
            break
    dozing = dozed_off(_overnight_estimates(overnight), stopped_s)
    other_s = None
    if dozing is not None:
        for action in ritual.date_onset(dozing.first_s, dozing.latest_s):
            if isinstance(action, KeepBookmark):
                bookmark_s, other_s = action.position_s, action.other_s
    moments = np.array([at for at, _ in heard])
    places = np.array([place for _, place in heard])

    def heard_at(place_s: float) -> float:
        return float(moments[np.abs(places - place_s).argmin()])

    stop_epoch = None if stopped_s is None else min(int(stopped_s / EPOCH_S), len(live.stage) - 1)
    return EveningJudged(
        onset_s=true_onset * EPOCH_S,
        stopped_s=stopped_s,
        awake_at_stop=stop_epoch is not None and (live.stage[stop_epoch] == 0 or stop_epoch < true_onset),
        other_s=None if other_s is None else heard_at(other_s),
        bookmark_s=heard_at(bookmark_s),
    )


def live_estimates(judged: Judged) -> list[StageEstimate]:
    assert judged.drowsiness is not None
    rows = zip(judged.probabilities.tolist(), judged.drowsiness.tolist(), strict=True)
    return [
        StageEstimate(k, k * EPOCH_S, STAGES[int(np.argmax(p))], tuple(p), drowsiness=None if np.isnan(d) else d)
        for k, (p, d) in enumerate(rows)
    ]


def _overnight_estimates(judged: Judged) -> list[StageEstimate]:
    return [
        StageEstimate(k, k * EPOCH_S, STAGES[int(np.argmax(p))], tuple(p))
        for k, p in enumerate(judged.probabilities.tolist())
    ]


def evening_lines(live: Sequence[Judged], overnight: Sequence[Judged]) -> list[str]:
    """The figures of all nights, and those of a plain timer of half an hour on the same nights."""
    pairs = [pair for pair in zip(live, overnight, strict=True) if onset_of(pair[0].stage > 0)]
    evenings = [evening for pair in pairs if (evening := follow(*pair)) is not None]
    marked = np.array([e.bookmark_s - e.onset_s for e in evenings])
    best = [min(abs(at_s - e.onset_s) for at_s in (e.bookmark_s, e.other_s) if at_s is not None) for e in evenings]
    timed = np.array([TIMER_S - e.onset_s for e in evenings])
    silent_min = [(e.stopped_s - e.onset_s) / 60 for e in evenings if e.stopped_s is not None]
    timer_awake = sum(_awake_at(judged, TIMER_S) for judged, _ in pairs)
    return [
        f"bookmark {_off(marked)}; a second place kept on"
        f" {sum(e.other_s is not None for e in evenings)} nights, the nearer one {np.median(best):.0f} s off (median)."
        f" Silent {np.median(silent_min):.0f} min after onset (median), awake then"
        f" {sum(e.awake_at_stop for e in evenings)} of {len(evenings)}.",
        f"a timer of 30 minutes: {_off(timed)}. Awake at its end {timer_awake} of {len(evenings)}.",
    ]


def _off(seconds: Floats) -> str:
    away = np.abs(seconds)
    return (
        f"{np.median(away):.0f} s from true onset (median; 90th percentile {np.percentile(away, 90):.0f} s),"
        f" after it on {int((seconds > 0).sum())} of {len(seconds)}"
    )


def _awake_at(judged: Judged, at_s: float) -> bool:
    onset = onset_of(judged.stage > 0)
    epoch = int(at_s / EPOCH_S)
    return onset is not None and epoch < len(judged.stage) and (judged.stage[epoch] == 0 or epoch < onset)
