"""What goes wrong in a week, drawn from a seed: the same seed, the same week. Pure."""

import random
from dataclasses import dataclass, replace

from tests.chaos.faults import OF_CARDS, OF_MPV, OF_THE_HOME, Fault, Kind

NIGHTS_A_WEEK = 7
TO_BED_S = 60.0
BEGIN_S = 90.0
"""The button is tapped, by somebody in bed."""
SETTLE_S = 200.0
"""After the last fault nothing happens for so long: then all must be well again."""

DATES = ((2026, 3, 3), (2026, 3, 26), (2026, 10, 22), (2026, 6, 9))
"""Weeks that begin here: plain ones, and those in which Central European clocks change."""
EVENINGS = ((21.0, 0.55), (1.7, 0.3), (4.1, 0.15))
"""Hours by the household's clock at which a night begins, and how often; the last ones see the morning come."""


@dataclass(frozen=True, slots=True)
class NightPlan:
    """``start_hour`` by the household's clock of day ``day``; ``seed`` is the sleeper's."""

    day: int
    start_hour: float
    seed: int
    bed_s: float
    after_s: float
    faults: tuple[Fault, ...]

    @property
    def left_bed_s(self) -> float:
        return TO_BED_S + self.bed_s

    @property
    def end_s(self) -> float:
        last_s = max((fault.until_s for fault in self.faults), default=0.0)
        return max(self.left_bed_s + self.after_s, last_s + SETTLE_S)

    def lines(self) -> list[str]:
        head = f"night {self.day}: begins {self.start_hour:g} h, {self.bed_s:g} s in bed, sleeper {self.seed}"
        return [head, *(f"    {fault}" for fault in self.faults)]


@dataclass(frozen=True, slots=True)
class Week:
    """Consecutive nights of one box. ``by_home``: its lamp and its player are Home Assistant's; ``cards``: there is a
    card reader; ``limit_min`` and so on are the household's."""

    seed: int
    date: tuple[int, int, int]
    by_home: bool
    cards: bool
    limit_min: float
    timer_min: float
    fade_min: float
    wind_down_min: float
    nights: tuple[NightPlan, ...]

    def without(self, kept: tuple[tuple[Fault, ...], ...]) -> "Week":
        """The same week with these faults only, one tuple a night."""
        nights = tuple(replace(n, faults=faults) for n, faults in zip(self.nights, kept, strict=True))
        return replace(self, nights=nights)

    def __str__(self) -> str:
        parts = ("lamp and player of the home" if self.by_home else "lamp on a pin, mpv") + ", cards" * self.cards
        head = (
            f"week of seed {self.seed} from {self.date[0]}-{self.date[1]:02}-{self.date[2]:02}: "
            f"{parts}, limit {self.limit_min:g} min, "
            f"timer {self.timer_min:g} min, fade {self.fade_min:g} min, winding down {self.wind_down_min:g} min"
        )
        return "\n".join([head, *(line for night in self.nights for line in night.lines())])


def week_of(seed: int, nights: int = NIGHTS_A_WEEK) -> Week:
    """The week of a seed."""
    rng = random.Random(f"chaos {seed}")
    by_home, cards = rng.random() < 0.3, rng.random() < 0.25
    left_out = (OF_MPV if by_home else OF_THE_HOME) | (frozenset() if cards else OF_CARDS)
    return Week(
        seed=seed,
        date=rng.choice(DATES),
        by_home=by_home,
        cards=cards,
        limit_min=rng.choice((3.0, 6.0, 20.0)),
        timer_min=rng.choice((2.0, 5.0, 15.0)),
        fade_min=rng.choice((1.0, 1.0, 3.0)),
        wind_down_min=rng.choice((0.0, 0.5, 1.0)),
        nights=tuple(_night(rng, day, left_out) for day in range(nights)),
    )


def _night(rng: random.Random, day: int, left_out: frozenset[Kind]) -> NightPlan:
    hour = rng.choices([h for h, _ in EVENINGS], [share for _, share in EVENINGS])[0]
    bed_s = rng.choice((300.0, 420.0, 420.0, 900.0))
    kinds = [k for k in Kind if k not in left_out]
    faults = [
        _fault(rng, kind, rng.uniform(20.0, TO_BED_S + bed_s))
        for kind in rng.choices(kinds, k=rng.choice((3, 5, 8, 12)))
    ]
    faults.append(Fault(Kind.PRESS, BEGIN_S + rng.uniform(0.0, 20.0), what="tap"))
    if rng.random() < 0.3:
        faults.append(Fault(Kind.PRESS, TO_BED_S + bed_s, what="hold"))
    faults.sort(key=lambda fault: fault.at_s)
    after_s = 1320.0 if hour > 3.0 and hour < 12.0 else 120.0
    return NightPlan(day, hour, rng.randrange(10_000), bed_s, after_s, tuple(_apart(faults)))


UNPLUGS = frozenset((Kind.CABLE_OUT, Kind.PULSE_OUT, Kind.MOTION_OUT, Kind.WRONG_ID))


def _apart(faults: list[Fault]) -> list[Fault]:
    """A dead box cannot die again, nor can what is unplugged be unplugged: such faults do not overlap."""
    kept: list[Fault] = []
    free_s = plug_free_s = 0.0
    for fault in faults:
        if fault.kind in (Kind.SIGKILL, Kind.RESTART, Kind.CLOCK_UNSET):
            if fault.at_s < free_s:
                continue
            free_s = fault.until_s + 2.0
        if fault.kind is Kind.CHIP_RESET and fault.at_s < plug_free_s:
            continue  # what has no power cannot lose it
        if fault.kind in UNPLUGS:
            if fault.at_s < max(plug_free_s, free_s):  # the bed goes on when the box does: both would be at once
                continue
            plug_free_s = fault.until_s + 10.0
        kept.append(fault)
    return kept


COMMANDS = (
    ("begin", "PRESS"),
    ("stop", "PRESS"),
    ("one_more_page", "PRESS"),
    ("pause", "PRESS"),
    ("resume", "PRESS"),
    ("start_over", "PRESS"),
    ("other_place", "PRESS"),
    ("seek", "120"),
    ("volume", "35"),
    ("volume", "80"),
    ("fade_time", "3"),
    ("follow_sleep", "OFF"),
    ("follow_sleep", "ON"),
    ("lamp", '{"state":"ON","brightness":120}'),
    ("lamp", '{"state":"OFF"}'),
    ("play", '{"story":"no such story"}'),
    ("story", "no such story"),
    ("volume", "loud"),
    ("lamp", "{"),
)


def _fault(rng: random.Random, kind: Kind, at_s: float) -> Fault:
    at_s = round(at_s, 1)
    span_s = round(rng.choice((3.0, 15.0, 60.0, 150.0)) * rng.uniform(0.5, 1.5), 1)
    match kind:
        case Kind.NACK | Kind.CUT | Kind.CORRUPT:
            return Fault(kind, at_s, span_s, size=rng.choice((0.02, 0.3, 1.0)))
        case Kind.TIMEOUT | Kind.STUCK_LOW:
            return Fault(kind, at_s, min(span_s, 90.0))
        case Kind.CHIP_RESET:
            return Fault(kind, at_s, size=rng.choice((0x57, 0x68)))
        case Kind.STALL:
            return Fault(kind, at_s, rng.choice((1.0, 3.0, 8.0, 25.0)))
        case Kind.GARBLED_REGISTERS:
            return Fault(kind, at_s, size=rng.randrange(1 << 16))
        case Kind.MPV_KILLED:
            return Fault(kind, at_s)
        case Kind.SIGKILL | Kind.RESTART:
            return Fault(kind, at_s, rng.choice((1.0, 4.0, 30.0, 90.0)))
        case Kind.CLOCK_UNSET:
            return Fault(kind, at_s, rng.choice((10.0, 40.0)), size=rng.choice((900.0, 5 * 86400.0)))
        case Kind.CLOCK_FORWARD | Kind.CLOCK_BACK:
            return Fault(kind, at_s, size=rng.choice((2.0, 90.0, 3600.0, 2 * 86400.0)))
        case Kind.PRESS:
            return Fault(kind, at_s, what=rng.choice(("tap", "tap", "double", "hold")))
        case Kind.COMMAND:
            key, payload = rng.choice(COMMANDS)
            return Fault(kind, at_s, what=f"{key} {payload}")
        case Kind.CARD:
            return Fault(kind, at_s, 5.0, what=rng.choice(("04a1b2c3", "deadbeef")))
        case _:
            return Fault(kind, at_s, span_s)
