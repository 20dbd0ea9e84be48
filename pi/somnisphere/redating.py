"""A night is dated anew when the clock is set: its moments keep their distance, its date becomes the evening's. Pure.

Durations need none of this: inside a night everything is monotonic. Only what was written down in wall time moves.

A night that an earlier start of the machine began (a power cut) has two parts. The first keeps its times, for the
clock that dated them was another one; the second moves, and what lies between the two is filled with epochs of which
nothing is known. When that is more than a few hours, they were two nights, and the second gets a name of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from somnisphere.events import Action, DateAnew, Say, Tick
from somnisphere.night import EPOCH_S, Epoch, NightTimes, StageEstimate, unknown_epoch
from somnisphere.night_in_progress import CONTINUE_WITHIN_S, NightInProgress, night_id_of

STEP_S = 10.0
"""A clock that moves by more was set; less is a clock that is being nudged."""

_FIELDS = ("in_bed_s", "fell_asleep_s", "woke_up_s", "left_bed_s")


class ClockSteps:
    """Says by how much the clock was set, tick by tick."""

    def __init__(self) -> None:
        self._minus_at_s: float | None = None

    def step(self, tick: Tick) -> float:
        """Seconds, 0.0 as long as it merely runs or is nudged."""
        minus_at_s = tick.wall_s - tick.at_s
        was, self._minus_at_s = self._minus_at_s, minus_at_s
        if was is None:
            return 0.0
        if abs(by_s := minus_at_s - was) <= STEP_S:
            self._minus_at_s = was  # small ones add up
            return 0.0
        return by_s


@dataclass(frozen=True, slots=True)
class Redated:
    """``epochs`` in the new reckoning of this run; ``missing`` of them were put in at ``here`` (the number at which
    this start's part began). ``apart``: that part is a night of its own, and ``epochs`` are its only."""

    times: NightTimes
    epochs: tuple[Epoch, ...]
    here: int
    missing: int = 0
    apart: bool = False


def moved(times: NightTimes, by_s: float, before: NightTimes | None = None) -> NightTimes:
    """Each time later by ``by_s``, but for those that ``before`` has, too."""
    then = {name: getattr(times, name) for name in _FIELDS}
    kept = {} if before is None else {name: getattr(before, name) for name in _FIELDS}
    return replace(
        times,
        **{name: at_s if at_s is None or kept.get(name) == at_s else at_s + by_s for name, at_s in then.items()},
    )


def redated(
    times: NightTimes, epochs: Sequence[Epoch], by_s: float, here: int, before: NightTimes, local_minus_at_s: float
) -> Redated:
    """``here``: the first epoch that this start of the machine dated; ``before``: the times that an earlier one did.
    ``local_minus_at_s``: what turns this run's time into the household's, by the clock that is right now."""
    old, new = tuple(epochs[:here]), tuple(epochs[here:])
    if not old:
        first_s = epochs[0].start_s if epochs else None
        night_id = times.night_id if first_s is None else night_id_of(first_s + local_minus_at_s)
        return Redated(replace(moved(times, by_s), night_id=night_id), tuple(epochs), 0)
    old = tuple(replace(epoch, start_s=epoch.start_s - by_s) for epoch in old)
    times = moved(times, by_s, before)
    if not new:
        return Redated(times, old, here)
    between_s = new[0].start_s - old[-1].start_s - EPOCH_S
    if between_s > CONTINUE_WITHIN_S:
        alone = tuple(replace(epoch, index=number) for number, epoch in enumerate(new))
        mine = {name: at_s for name in _FIELDS if (at_s := getattr(times, name)) != getattr(before, name)}
        return Redated(NightTimes(night_id_of(new[0].start_s + local_minus_at_s), **mine), alone, 0, apart=True)
    missing = max(0, round(between_s / EPOCH_S))
    between = tuple(unknown_epoch(here + k, old[0].start_s - old[0].index * EPOCH_S) for k in range(missing))
    return Redated(
        times,
        (*old, *between, *(replace(epoch, index=epoch.index + missing) for epoch in new)),
        here + missing,
        missing,
    )


def date_anew(
    night: NightInProgress | None, by_s: float, tick: Tick, carry_on: Callable[..., list[StageEstimate]]
) -> list[Action]:
    """The clock was set, as ``tick`` says: the night in progress moves with it. ``carry_on``: the core's own, which
    takes up a night of two parts once more."""
    said = Say(said_of(by_s))
    if night is None:
        return [said, DateAnew(by_s)]
    local_minus_at_s = tick.wall_at(0.0) + tick.utc_offset_s
    new = redated(night.times, night.epochs, by_s, night.carried, night.times_before, local_minus_at_s)
    if not night.carried:
        night.times = new.times
        return [said, DateAnew(by_s, new.times.night_id)]
    estimates = carry_on(new.times, new.epochs, new.here, None if new.apart else night.times_before)
    unknown = range(new.here - new.missing, new.here)
    return [
        said,
        DateAnew(
            by_s,
            new.times.night_id,
            night.carried,
            tuple((new.epochs[k], estimates[k]) for k in unknown),
            new.apart,
            tuple(estimates),
        ),
    ]


def said_of(by_s: float) -> str:
    """What the log is told."""
    size_s, words = abs(by_s), "forward" if by_s > 0 else "back"
    for unit, length_s in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if size_s >= 2 * length_s:
            return f"The clock was set {words} by {size_s / length_s:.1f} {unit}."
    return f"The clock was set {words} by {size_s:.0f} seconds."
