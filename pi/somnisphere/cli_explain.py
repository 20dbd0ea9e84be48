"""`somnisphere explain`: which signals made which stage, in plain words or as JSON."""

import argparse
import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from somnisphere.cli_files import epochs_of
from somnisphere.cli_nights import kept_night
from somnisphere.config import load
from somnisphere.errors import UserError
from somnisphere.night import EPOCH_S, STAGES, Epoch, Stage
from somnisphere.sleep.explain import Explanation, Facts, Signal, explain_live, explain_overnight, facts_at
from somnisphere.sleeper import INFANT, claim

DAY_S = 86400.0
AWAY = {
    Signal.HEART_LEVEL: "with the heart rate at the night's middle",
    Signal.HEART_VARIABILITY: "with the heart rate smoothed flat",
    Signal.MOVEMENT: "without movement being known",
    Signal.TIME: "without knowing how long in bed",
}
NAMES = {Stage.AWAKE: "awake", Stage.LIGHT: "light sleep", Stage.DEEP: "deep sleep", Stage.REM: "REM sleep"}
LITTLE = 0.05
"""Probabilities that change by less tell no reader anything."""


def explain(arguments: argparse.Namespace) -> int:
    """Both answers about one epoch, and what each stood on."""
    since_start, asked_s = _asked(arguments.at)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", arguments.night):
        kept = kept_night(arguments.config, arguments.night, open_now=arguments.open)
        if claim(load(arguments.config).sleeper.born, kept.began_wall_s) == INFANT:
            raise UserError(f"Night of {arguments.night}: {INFANT}, so there is nothing to explain.")
        epochs: Sequence[Epoch] = kept.epochs
        what, by_clock = f"the night of {arguments.night}", not since_start
    else:
        epochs = epochs_of(Path(arguments.night))[0]
        what, by_clock = arguments.night, False
    place = _place(epochs, asked_s, what, by_clock=by_clock)
    epoch = epochs[place]
    facts = facts_at(epochs, place)
    answers = {"overnight": explain_overnight(epochs, place), "live": explain_live(epochs, place)}
    if arguments.json:
        print(json.dumps(_row(epoch, facts, answers)))
        return 0
    for line in explanation_lines(_said_at(epochs, place, by_clock=by_clock), facts, answers):
        print(line)
    return 0


def _asked(text: str) -> tuple[bool, float]:
    """Whether it counts from the record's start, and seconds. ``text``: hh:mm, hh:mm:ss, or +hh:mm from the start."""
    found = re.fullmatch(r"(\+?)(\d{1,2}):(\d{2})(?::(\d{2}))?", text)
    if found is None or int(found[3]) > 59 or int(found[4] or 0) > 59 or (not found[1] and int(found[2]) > 23):
        raise UserError(f"{text}: this is no time. Write it as hh:mm (02:40), or +hh:mm from the record's start.")
    return found[1] == "+", 3600.0 * int(found[2]) + 60.0 * int(found[3]) + float(found[4] or 0)


def _place(epochs: Sequence[Epoch], asked_s: float, what: str, *, by_clock: bool) -> int:
    """Which epoch holds that time."""
    if not epochs:
        raise UserError(f"{what}: nothing was recorded. Choose another night.")
    first_s = epochs[0].start_s
    if by_clock:
        clock_s = first_s + time.localtime(first_s).tm_gmtoff
        # the first epoch may have begun within the minute that was asked for
        at_s = first_s + (asked_s - clock_s + EPOCH_S * 2) % DAY_S - EPOCH_S * 2
    else:
        at_s = first_s + asked_s
    for place, epoch in enumerate(epochs):
        if epoch.start_s <= at_s < epoch.start_s + EPOCH_S or (place == 0 and -2 * EPOCH_S < at_s - first_s < 0):
            return place
    span = (
        f"{_clock(first_s)} to {_clock(epochs[-1].start_s + EPOCH_S)}"
        if by_clock
        else f"00:00 to {_since(epochs[-1].start_s + EPOCH_S - first_s)} from its start"
    )
    raise UserError(f"{what}: nothing was recorded at that time. It holds {span}; choose a time within.")


def _clock(at_s: float) -> str:
    return time.strftime("%H:%M", time.localtime(at_s))


def _since(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}" + (f":{whole % 60:02d}" if whole % 60 else "")


def _said_at(epochs: Sequence[Epoch], place: int, *, by_clock: bool) -> str:
    since = _since(epochs[place].start_s - epochs[0].start_s)
    if not by_clock:
        return f"The half minute from {since} after the record's start"
    return f"The half minute from {time.strftime('%H:%M:%S', time.localtime(epochs[place].start_s))}"


def explanation_lines(when: str, facts: Facts, answers: dict[str, Explanation]) -> Iterator[str]:
    """Everything a person is told. ``answers``: "overnight" and "live"."""
    from somnisphere.cli import NOT_MEDICAL

    yield when
    yield ""
    for words in _facts_in_words(facts):
        yield f"  {words}"
    for name, words in (
        ("overnight", "In the morning, with the whole night known"),
        ("live", "Live, from what came before alone"),
    ):
        yield ""
        yield from _answer_in_words(words, answers[name])
    yield ""
    yield "Shares do not add up: signals that say the same thing stand in for each other."
    yield NOT_MEDICAL


def in_ten(probability: float) -> str:
    """A probability as people say it."""
    tenths = round(10.0 * probability)
    if tenths == 0:
        return "less than 1 in 10"
    return "more than 9 in 10" if tenths == 10 else f"{tenths} in 10"


def _facts_in_words(facts: Facts) -> Iterator[str]:
    if facts.heart_bpm is None:
        yield "heart rate   not known in these five minutes"
    else:
        away_bpm = round(facts.heart_bpm - (facts.night_heart_bpm or facts.heart_bpm))
        level = f"{abs(away_bpm)} {'above' if away_bpm > 0 else 'below'}" if away_bpm else "at"
        yield f"heart rate   {facts.heart_bpm:.0f} a minute, {level} the night's middle"
    if facts.spread_rank is None or facts.heart_spread_bpm is None:
        yield "steadiness   not known"
    else:
        rank = facts.spread_rank
        words = "steadier than usual" if rank < 1 / 3 else "less steady than usual" if rank > 2 / 3 else "as usual"
        yield f"steadiness   {words} for this night (it varied by {facts.heart_spread_bpm:.1f} a minute)"
    if facts.counts is None:
        yield "movement     not known"
    elif facts.still_min is None:
        yield "movement     none so far"
    elif facts.still_min < 0.5:
        yield "movement     moved in this half minute"
    else:
        yield (
            f"movement     none for {facts.still_min:.0f} minutes"
            if facts.still_min >= 1
            else "movement     just before"
        )
    yield f"in bed       for {facts.in_bed_min:.0f} minutes of this record"


def _answer_in_words(words: str, answer: Explanation) -> Iterator[str]:
    estimate, likeliest = answer.estimate, answer.likeliest
    if estimate.probabilities is None or likeliest is None:
        yield f"{words}: not known. Why: {estimate.reason or 'no reason was kept'}."
        return
    order = sorted(range(len(STAGES)), key=lambda k: -(estimate.probabilities or (0.0,) * 4)[k])
    chances = [f"{NAMES[STAGES[k]]} {in_ten(estimate.probabilities[k])}" for k in order]
    if estimate.stage is None:
        yield f"{words}: not known. Why: {estimate.reason} ({', '.join(chances[:3])})."
    else:
        second = f"; next {chances[1]}" if estimate.probabilities[order[1]] >= LITTLE else ""
        yield f"{words}: {NAMES[estimate.stage]}, {in_ten(estimate.probabilities[order[0]])}{second}."
    here = STAGES.index(likeliest)
    told = estimate.probabilities[here]
    for share in sorted(answer.shares, key=lambda share: -abs(told - share.without[here])):
        yield f"  {share.signal.value:<22} {_change(AWAY[share.signal], likeliest, told, share.without)}"
    if answer.alone is None:
        yield "  neighbours             everything: there was no signal in this half minute's surroundings"
    else:
        yield f"  {'neighbours':<22} {_change('without the stages around it', likeliest, told, answer.alone)}"


def _change(away: str, stage: Stage, told: float, without: Sequence[float]) -> str:
    """What one signal did to the likeliest stage."""
    left = without[STAGES.index(stage)]
    best = max(range(len(STAGES)), key=lambda k: without[k])
    other = "" if STAGES[best] is stage else f", and {NAMES[STAGES[best]]} would lead ({in_ten(without[best])})"
    if abs(told - left) < LITTLE or (in_ten(told) == in_ten(left) and not other):
        return f"little: {away} it would be much the same{other}"
    side = "for it" if told > left else "against it"
    return f"speaks {side}: {away}, {in_ten(left)}{other}"


def _row(epoch: Epoch, facts: Facts, answers: dict[str, Explanation]) -> dict[str, Any]:
    def chances(of: Sequence[float] | None) -> dict[str, float] | None:
        return None if of is None else {s.value: round(p, 4) for s, p in zip(STAGES, of, strict=True)}

    row: dict[str, Any] = {"epoch": epoch.index, "start_s": epoch.start_s}
    for field in Facts.__slots__:
        value = getattr(facts, field)
        row[field] = None if value is None else round(value, 3)
    for name, answer in answers.items():
        stage = answer.estimate.stage
        row[name] = {
            "stage": None if stage is None else stage.value,
            "reason": answer.estimate.reason,
            "probabilities": chances(answer.estimate.probabilities),
            "alone": chances(answer.alone),
            "without": {share.signal.name.lower(): chances(share.without) for share in answer.shares},
        }
    return row
