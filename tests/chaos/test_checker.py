"""The checker is checked: a planted defect is found, one for each promise, and a sound night is not blamed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.chaos import ledger
from tests.chaos.faults import Fault, Kind
from tests.chaos.ledger import Ledger, Life, ToldEpoch
from tests.chaos.schedule import Week, week_of
from tests.chaos.shrink import shrink
from tests.chaos.watch import Darkness, Honesty, Moment, Silence
from tests.chaos.week import Outcome, live

from somnisphere.bedtime.phases import Phase
from somnisphere.daemon import Daemon
from somnisphere.journal import Journal, KeptNight
from somnisphere.night import Epoch, NightTimes, unknown_epoch
from somnisphere.sleep.heart import Heart, HeartRate
from somnisphere_hardware import max30102
from somnisphere_hardware.lamp import Lamp
from somnisphere_hardware.mpv_speaker import MpvSpeaker
from somnisphere_hardware.stream import Stream
from somnisphere_home.session import HomeSession

TAP = Fault(Kind.PRESS, 95.0, what="tap")


def night(*faults: Fault) -> Week:
    """One night of a lamp on a pin and mpv, begun by a tap."""
    week = next(w for w in map(week_of, range(100)) if not w.by_home and not w.cards and w.limit_min == 3.0)
    plan = replace(week.nights[0], start_hour=21.0, bed_s=300.0, after_s=120.0)
    ordered = tuple(sorted((TAP, *faults), key=lambda fault: fault.at_s))
    return replace(week, wind_down_min=0.5, limit_min=2.0, fade_min=1.0, nights=(replace(plan, faults=ordered),))


def problems(outcome: Outcome) -> str:
    return "\n".join(sentence for _, sentence in outcome.problems)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Kind.GARBLED_REGISTERS, 300.0, size=1535.0),  # six times as many samples of motion as it is told
        Fault(Kind.GARBLED_REGISTERS, 300.0, size=2193.0),
        Fault(Kind.FROZEN, 200.0, 150.0),  # one sample of light again and again, which had a pulse of its own
    ],
    ids=["rate", "another rate", "frozen"],
)
def test_what_was_found_once(fault: Fault) -> None:
    assert live(night(fault)).problems == []


def test_a_sound_night_is_not_blamed() -> None:
    outcome = live(night(Fault(Kind.SIGKILL, 300.0, 4.0), Fault(Kind.CABLE_OUT, 340.0, 30.0)))
    assert not problems(outcome)
    assert outcome.kills == 1
    assert outcome.due >= 5
    assert outcome.known >= 2
    assert outcome.blocks > 500
    assert outcome.story_s > 60


def _drop_an_epoch(patch: pytest.MonkeyPatch) -> None:
    real = Journal.add_epoch

    def forgetful(self: Journal, night_id: str, wall_s: float, epoch: Epoch, estimate: Any) -> None:
        if epoch.index != 3:
            real(self, night_id, wall_s, epoch, estimate)

    patch.setattr(Journal, "add_epoch", forgetful)


def _never_dark(patch: pytest.MonkeyPatch) -> None:
    real = Lamp.dim
    patch.setattr(Lamp, "dim", lambda self, pct, over_s, at_s: real(self, max(5.0, pct), over_s, at_s))


def _burns_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lamp, "close", lambda _: None)


def _garbled(patch: pytest.MonkeyPatch) -> None:
    real = max30102.decode

    def slipped(data: bytes) -> Any:
        return real(data[1:] + data[:1])

    patch.setattr(max30102, "decode", slipped)


def _talks_on(patch: pytest.MonkeyPatch) -> None:
    for name in ("pause", "stop"):
        patch.setattr(MpvSpeaker, name, lambda *_: None)


def _always_well(patch: pytest.MonkeyPatch) -> None:
    real = Stream._say
    patch.setattr(Stream, "_say", lambda self, at_s, _ok, _problem: real(self, at_s, True, ""))


def _crash(patch: pytest.MonkeyPatch) -> None:
    real = Daemon.step_speaker

    def falls(self: Daemon, at_s: float) -> None:
        if at_s > 400.0:
            raise ZeroDivisionError
        real(self, at_s)

    patch.setattr(Daemon, "step_speaker", falls)


def _never_back(patch: pytest.MonkeyPatch) -> None:
    real = HomeSession.part_status
    patch.setattr(HomeSession, "part_status", lambda self, part, _: real(self, part, False))


def _too_fast(patch: pytest.MonkeyPatch) -> None:
    real = Heart.rate

    def rate(self: Heart, from_s: float, to_s: float) -> HeartRate:
        found = real(self, from_s, to_s)
        return replace(found, bpm=None if found.bpm is None else found.bpm + 25.0)

    patch.setattr(Heart, "rate", rate)


@pytest.mark.parametrize(
    ("plant", "faults", "said"),
    [
        (_drop_an_epoch, (), "not in the journal"),
        (_never_dark, (Fault(Kind.PRESS, 110.0, what="hold"),), "the lamp is left on"),
        (_burns_on, (), "after a clean end"),
        (_garbled, (), "that the chip never took"),
        (_talks_on, (Fault(Kind.PRESS, 200.0, what="hold"),), "a story sounds in phase idle"),
        (_talks_on, (), "limit and fade over"),
        (_always_well, (Fault(Kind.CABLE_OUT, 150.0, 60.0),), "said to be well"),
        (_crash, (), "crash"),
        (_never_back, (), "sensor/status says b'offline'"),
        (_too_fast, (), "but it was"),
    ],
)
def test_a_planted_defect_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], faults: tuple[Fault, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    assert said in problems(live(night(*faults)))


def test_the_same_seed_gives_the_same_week() -> None:
    assert week_of(17) == week_of(17)
    assert str(week_of(17)) == str(week_of(17))
    assert week_of(17) != week_of(18)


def test_every_kind_of_fault_is_drawn() -> None:
    drawn = {fault.kind for seed in range(30) for plan in week_of(seed).nights for fault in plan.faults}
    assert drawn == set(Kind)


def test_a_failing_week_is_made_small() -> None:
    guilty = {Kind.SIGKILL, Kind.CLOCK_BACK}
    week = next(
        w for w in map(week_of, range(200)) if any(guilty <= {f.kind for f in plan.faults} for plan in w.nights)
    )

    def fails(smaller: Week) -> bool:
        return any(guilty <= {fault.kind for fault in plan.faults} for plan in smaller.nights)

    small = shrink(week, fails, most_tries=200)
    assert [sorted(fault.kind for fault in plan.faults) for plan in small.nights] == [sorted(guilty)]


# ---- the watches by themselves ------------------------------------------------------------------------------------


def test_silence_counts_a_pause_as_nothing_and_a_new_evening_anew() -> None:
    told: list[str] = []
    silence = Silence(limit_s=60.0, fade_s=30.0, tell=told.append)
    for at_s in range(300):
        silence.look(Moment(float(at_s), Phase.STORY, sounding=at_s % 3 == 0))
    assert not told
    silence.renew()
    for at_s in range(300, 430):
        silence.look(Moment(float(at_s), Phase.STORY, sounding=True))
    assert len(told) == 1


def test_darkness_is_not_asked_of_a_lamp_that_a_hand_has() -> None:
    told: list[str] = []
    darkness = Darkness(told.append)
    for at_s in range(1000):
        darkness.look(Moment(float(at_s), Phase.ASLEEP, lamp=0.2, lamp_by_hand=True))
    assert not told
    for at_s in range(1000, 1300):
        darkness.look(Moment(float(at_s), Phase.ASLEEP, lamp=0.2))
    assert not told
    for at_s in range(1300, 1400):
        darkness.look(Moment(float(at_s), Phase.ASLEEP, lamp=0.2))
    assert len(told) == 1
    darkness.look(Moment(1400.0, Phase.IDLE))
    for at_s in range(1401, 1420):
        darkness.look(Moment(float(at_s), Phase.IDLE, lamp=0.2, lamp_wanted=20.0))
    assert len(told) == 2


def test_an_evening_without_a_night_is_seen() -> None:
    told: list[str] = []
    honesty = Honesty(told.append)
    for at_s in range(20):
        honesty.look(Moment(float(at_s), Phase.STORY, night_open=False))
    assert told == ["6 s: phase story, and no night is open"]


def _kept(epochs: list[Epoch]) -> list[KeptNight]:
    return [KeptNight(NightTimes("n"), 0.0, None, tuple(epochs), (), (), ())]


@pytest.mark.parametrize(("killed", "missing", "excused"), [(True, 0, 1), (False, 1, 0)])
def test_only_the_minute_before_a_kill_may_be_missing(killed: bool, missing: int, excused: int) -> None:
    epochs = [unknown_epoch(k, 0.0) for k in range(20)]
    life = Life(0.0, 600.0, killed=killed, opened_s=0.0)
    books = Ledger([life], [ToldEpoch(0, "n", epoch) for epoch in epochs])
    due, may_be, lost = books.lost(_kept(epochs[:17]))
    assert (due, may_be, len(lost)) == (17, excused, missing)
    assert not Ledger([life], books.told).lost(_kept(epochs))[2]
    if killed:
        assert len(books.lost(_kept(epochs[:12]))[2]) == 5


def test_knowledge_out_of_a_dark_time_is_seen() -> None:
    epoch = replace(unknown_epoch(2, 0.0), heart_bpm=60.0, beat_count=30)
    books = Ledger([], [ToldEpoch(0, "n", epoch)])
    assert not books.untrue(lambda _: (61.0, 64.0), [])
    assert "no pulse" in books.untrue(lambda _: (61.0, 64.0), [(50.0, 100.0)])[0]
    assert "it was 78 to 80" in books.untrue(lambda _: (78.0, 80.0), [])[0]
    assert "nobody" in books.untrue(lambda _: None, [])[0]
    assert ledger.BPM_OFF < 15.0
