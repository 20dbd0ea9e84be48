"""How a week is lived: night after night on one bed and one disk, with its faults, restarts and kills."""

import shutil
import tempfile
import traceback
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from tests.chaos.bed import Bed, full_disk, made_bed, wall_of
from tests.chaos.box import JOURNAL, Box
from tests.chaos.end import untidy
from tests.chaos.faults import DARK, Fault, Kind
from tests.chaos.ledger import MINUTE_S, Ledger, ToldEpoch
from tests.chaos.schedule import TO_BED_S, NightPlan, Week
from tests.chaos.watch import Darkness, Honesty, Moment, Silence

from somnisphere.journal import Journal, KeptNight
from somnisphere.night import EPOCH_S
from somnisphere.rehearsal import Hand
from somnisphere.snapshot import Snapshot
from somnisphere_hardware.simulated.sleeper import Sleeper

OF_THE_PROCESS = frozenset((Kind.SIGKILL, Kind.RESTART, Kind.CLOCK_UNSET, Kind.STALL, Kind.DISK_FULL))
GARBLES = frozenset((Kind.CORRUPT, Kind.FROZEN, Kind.GARBLED_REGISTERS))
GARBLED_FOR_S = 13.0
"""Settings are looked at every ten seconds; a garbled one garbles as long."""
AWAKE_S, RISE_S = 90.0, 30.0
DAY_OFF_S = 3600.0


@dataclass
class Outcome:
    """``problems``: (night, sentence); the figures count over all nights."""

    problems: list[tuple[int, str]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    nights: int = 0
    kills: int = 0
    starts: int = 0
    due: int = 0
    excused: int = 0
    known: int = 0
    blocks: int = 0
    story_s: float = 0.0
    virtual_s: float = 0.0
    crashed: bool = False

    def add(self, other: "Outcome") -> None:
        self.problems += other.problems
        self.faults += other.faults
        for name in ("nights", "kills", "starts", "due", "excused", "known", "blocks", "story_s", "virtual_s"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def live(week: Week, *, until_first: bool = False) -> Outcome:
    """The whole week. A crash ends it. ``until_first``: so does the first problem."""
    outcome = Outcome()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        with made_bed(week, folder / "disk") as bed:
            (folder / "disk").mkdir()
            living = _Living(bed, outcome)
            for night in week.nights:
                try:
                    living.night(night)
                except Exception:  # any: that is what is looked for
                    outcome.problems.append((night.day, "crash: " + traceback.format_exc(limit=-6)))
                    outcome.crashed = True
                if outcome.crashed or (until_first and outcome.problems):
                    break
            living.bury()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


class _Living:
    def __init__(self, bed: Bed, outcome: Outcome) -> None:
        self._bed = bed
        self._outcome = outcome
        self._graveyard: list[Any] = []
        self._numbers = count()
        self._day = 0
        week = bed.week
        self._silence = Silence(week.limit_min * 60.0, week.fade_min * 60.0, self._tell)
        self._darkness = Darkness(self._tell)
        self._honesty = Honesty(self._tell)
        self._box: Box | None = None
        self._garbled_until_s = 0.0
        self._full_since_s = self._full_until_s = 0.0

    def _tell(self, sentence: str) -> None:
        self._outcome.problems.append((self._day, sentence))

    def bury(self) -> None:
        """After the week, what was killed may be cleared away."""
        self._bed.pins._factory._reservations.clear()
        self._graveyard.clear()

    # ---- a night

    def night(self, plan: NightPlan) -> None:
        bed, outcome = self._bed, self._outcome
        self._day = plan.day
        self._ledger = Ledger()
        self._blind: list[tuple[float, float]] = []
        self._phase = None
        start_s = bed.clock.at_s
        asleep_s = plan.bed_s - AWAKE_S - RISE_S
        steps = [("absent", TO_BED_S), ("awake", AWAKE_S), ("light", asleep_s / 2), ("deep", asleep_s / 2)]
        sleeper = Sleeper(plan.seed, [*steps, ("awake", RISE_S), ("absent", plan.end_s)])
        bed.lie_down(sleeper, wall_of(bed.week.date, plan.day, plan.start_hour))
        self._silence.renew()
        self._start()
        for fault in plan.faults:
            outcome.faults[fault.kind] += 1
            self._until(start_s + fault.at_s)
            self._strike(fault, bed.clock.at_s + fault.for_s)
        self._until(start_s + plan.end_s)
        assert self._box is not None
        for sentence in untidy(self._box, bed):
            self._tell(f"at the end: {sentence}")
        self._stop()
        bed.bus.clear_faults()
        self._judge(sleeper, start_s)
        outcome.nights += 1
        outcome.virtual_s += plan.end_s
        bed.clock.at_s += DAY_OFF_S

    def _judge(self, sleeper: Sleeper, start_s: float) -> None:
        outcome, ledger = self._outcome, self._ledger
        due, excused, problems = ledger.lost(kept_in(self._bed.folder / JOURNAL))
        problems += ledger.untrue(lambda at_s: true_bpm(sleeper, at_s - start_s), self._blind)
        for sentence in problems:
            self._tell(sentence)
        outcome.due += due
        outcome.excused += excused
        outcome.known += sum(told.epoch.heart_bpm is not None for told in ledger.told)

    # ---- time

    def _until(self, at_s: float, hands: tuple[Hand, ...] = ()) -> None:
        clock = self._bed.clock
        if clock.at_s < min(self._full_until_s, at_s) and self._box is not None:
            with full_disk():
                self._box.run(min(self._full_until_s, at_s), hands)
            hands = tuple(hand for hand in hands if hand[0] > clock.at_s)
        if at_s > clock.at_s and self._box is not None:
            self._box.run(at_s, hands)

    def _second(self, snapshot: Snapshot) -> None:
        assert self._box is not None
        bed = self._bed
        if bed.sounding:
            self._outcome.story_s += 1.0
        moment = Moment(
            at_s=snapshot.at_s,
            phase=snapshot.phase,
            sounding=bed.sounding,
            lamp=bed.lamp,
            lamp_wanted=snapshot.lamp_target_pct,
            lamp_by_hand=self._box.lamp_by_hand,
            pulse_ok=snapshot.pulse_ok,
            night_open=snapshot.night_id is not None,
            going_on=frozenset(fault.kind for _, fault in bed.going_on),
        )
        for watch in (self._silence, self._darkness, self._honesty):
            watch.look(moment)

    def _lenient(self) -> bool:
        at_s = self._bed.clock.at_s
        return at_s < self._garbled_until_s

    # ---- faults

    def _strike(self, fault: Fault, until_s: float) -> None:
        bed, at_s = self._bed, self._bed.clock.at_s
        if fault.kind in DARK:
            self._blind.append((at_s + 10.0, until_s))
        if fault.kind in GARBLES:
            self._garbled_until_s = max(self._garbled_until_s, until_s + GARBLED_FOR_S)
        if fault.kind is Kind.PRESS:
            if self._box is not None:
                self._until(at_s + 4.0, self._box.taps(fault.what, at_s))
        elif fault.kind not in OF_THE_PROCESS:
            bed.begin(fault, at_s)
        else:
            self._to_the_process(fault, until_s)

    def _to_the_process(self, fault: Fault, until_s: float) -> None:
        bed, box = self._bed, self._box
        assert box is not None
        match fault.kind:
            case Kind.STALL:
                bed.clock.at_s = max(bed.clock.at_s, until_s)
                self._ledger.stood_still.append((until_s - fault.for_s, until_s))
            case Kind.DISK_FULL:
                self._full_since_s, self._full_until_s = bed.clock.at_s, until_s
            case _:
                self._end_life(fault, until_s)

    def _end_life(self, fault: Fault, until_s: float) -> None:
        bed = self._bed
        if fault.kind is Kind.RESTART:
            self._stop()
        else:
            self._kill()
        away_from_s = bed.clock.at_s
        for at_s in range(int(away_from_s) + 1, int(until_s), 2):  # nobody steps the box; its world goes on
            bed.clock.at_s = float(at_s)
            bed.end_faults(bed.clock.at_s)
            still = {bed_fault.kind for _, bed_fault in bed.going_on}
            self._silence.look(Moment(float(at_s), None, bed.sound.sounding, bed.lamp, going_on=frozenset(still)))
        bed.clock.at_s = max(bed.clock.at_s, until_s)
        bed.end_faults(bed.clock.at_s)
        if fault.kind is Kind.CLOCK_UNSET:
            bed.clock.wall_start_s -= fault.size
        self._start()
        if fault.kind is Kind.CLOCK_UNSET:
            self._until(bed.clock.at_s + 35.0)
            bed.clock.wall_start_s += fault.size

    def _start(self) -> None:
        bed = self._bed
        self._box = Box(bed, next(self._numbers), self._told, self._second, self._tell, self._lenient)
        self._ledger.lives.append(self._box.life)
        self._outcome.starts += 1

    def _told(self, told: ToldEpoch) -> None:
        self._ledger.told.append(told)

    def _stop(self) -> None:
        box, bed = self._box, self._bed
        assert box is not None
        box.stop()
        box.life.until_s = bed.clock.at_s
        self._box = None
        self._outcome.blocks += box.bedside.blocks
        if not (bed.going_on and bed.week.by_home):
            self._darkness.stopped(bed.clock.at_s, 0.0 if bed.week.by_home else bed.lamp)

    def _kill(self) -> None:
        box, bed = self._box, self._bed
        assert box is not None
        box.life.until_s, box.life.killed = bed.clock.at_s, True
        if bed.clock.at_s < self._full_until_s + MINUTE_S:
            box.life.unwritable_s = self._full_since_s
        self._outcome.blocks += box.bedside.blocks
        box.kill(self._graveyard)
        self._box = None
        self._outcome.kills += 1
        self._silence.started()


def true_bpm(sleeper: Sleeper, start_s: float) -> tuple[float, float] | None:
    """The slowest and quickest true heart rate over five beats around the half minute that begins at ``start_s``; None:
    nobody was there for so many. While somebody rises anything may be: the skin leaves the chip at that moment."""
    from_s, until_s = start_s - 10.0, start_s + EPOCH_S + 10.0
    if sleeper.stage_at(from_s) != "absent" and sleeper.stage_at(until_s + 30.0) == "absent":
        return 0.0, float("inf")
    beats_s = np.array([s for s in sleeper.beat_times_s if from_s <= s < until_s and sleeper.stage_at(s) != "absent"])
    if len(beats_s) < 6:
        return None
    rates = 300.0 / (beats_s[5:] - beats_s[:-5])
    return float(rates.min()), float(rates.max())


def kept_in(path: Path) -> list[KeptNight]:
    """All nights of a journal."""
    with ExitStack() as stack:
        journal = Journal(path)
        stack.callback(journal.close)
        return [journal.load(night_id) for night_id in journal.nights()]
