"""What the ladder of comfort would have done on scored nights of which none is known to hold a bad dream: every time it
begins there counts as false. The sleeper cannot answer: what a glow or a sound would have changed, nobody can read off
a record. Movement and waking after a step are those of the record, which knew of no step.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from somnisphere.bedtime.phases import Cue
from somnisphere.comfort.ladder import LADDER, ComfortSettings, Ladder, Room
from somnisphere.comfort.memory import Note
from somnisphere.cues import SleepWatch
from somnisphere.events import KeepComfort
from somnisphere.night import EPOCH_S, unknown_epoch
from somnisphere.training.evening import ANSWERED_AFTER_S, live_estimates
from somnisphere.training.judged import Judged
from somnisphere.training.spoil import LabelledNight

EVERYTHING = ComfortSettings(steps=LADDER, sound=Path("sound"))
AWAKE = (Cue.STIRRED, Cue.WOKE, Cue.ROSE)


@dataclass(frozen=True, slots=True)
class ComfortJudged:
    """One night: how often the ladder began, what it did, and how often people had scored waking when it began."""

    begun: int
    steps: Counter[str]
    with_waking: Counter[str]
    begun_awake: int


def follow(night: LabelledNight, judged: Judged) -> ComfortJudged:
    """``judged``: live answers about ``night`` as recorded, by a model that need not have seen the sleeper."""
    watch, ladder = SleepWatch(), Ladder(EVERYTHING)
    begun, begun_awake, steps, with_waking = 0, 0, Counter[str](), Counter[str]()
    rows = zip(
        night.heart_bpm.tolist(), night.counts.tolist(), live_estimates(judged), judged.stage.tolist(), strict=True
    )
    for k, (hearts, counts, estimate, stage) in enumerate(rows):
        epoch = replace(
            unknown_epoch(k, 0.0),
            in_bed=True,
            heart_series_bpm=tuple(None if np.isnan(bpm) else bpm for bpm in hearts),
            motion_counts=tuple(None if np.isnan(count) else count for count in counts),
        )
        now_s = epoch.start_s + EPOCH_S + ANSWERED_AFTER_S
        cues = {given.cue: given for given in watch.step(epoch, estimate, is_morning=False)}
        known = [count for count in epoch.motion_counts if count is not None]
        actions = list(ladder.tick(now_s))
        for cue in AWAKE:
            if cue in cues:
                actions += ladder.woke(cues[cue].since_s, now_s)
        if watch.asleep:
            actions += ladder.epoch(
                sum(known) / len(known) if known else None,
                now_s,
                began=Cue.DISTRESSED in cues,
                goes_on=watch.distressed,
                learned_nights=EVERYTHING.learned_nights,
                room=Room(),
            )
        for action in actions:
            if isinstance(action, KeepComfort):
                ladder.memory = ladder.memory.noted(Note(now_s, action.step, action.what))
                if action.what == "tried":
                    steps[action.step] += 1
                    begun += action.step == LADDER[0]
                    begun_awake += action.step == LADDER[0] and stage == 0
                elif action.what == "woke":
                    with_waking[action.step] += 1
    return ComfortJudged(begun, steps, with_waking, begun_awake)


def comfort_lines(nights: Sequence[LabelledNight], live: Sequence[Judged]) -> list[str]:
    """The figures as lines of Markdown."""
    judged = [follow(night, answers) for night, answers in zip(nights, live, strict=True)]
    hours = sum(len(answers.stage) for answers in live) * EPOCH_S / 3600.0
    begun = sum(one.begun for one in judged)
    quiet = sum(one.begun == 0 for one in judged)
    most = max(one.begun for one in judged)
    steps, woke = Counter[str](), Counter[str]()
    for one in judged:
        steps += one.steps
        woke += one.with_waking
    done = ", ".join(f"{step} {steps[step]}" for step in LADDER)
    waking = ", ".join(f"{step} {woke[step]}" for step in LADDER[1:])
    awake, count = sum(one.begun_awake for one in judged), len(judged)
    return [
        f"- {count} nights, {hours:.0f} hours: it began {begun} times ({begun / count:.2f} a night, {most} in one night"
        f" at the most), in {quiet} nights never. People had scored waking at {awake} of these.",
        f"- Steps it would have taken: {done}. Of these within three minutes before a waking: {waking}.",
    ]
