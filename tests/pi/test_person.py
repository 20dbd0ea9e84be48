"""What earlier nights teach about one sleeper, and that it is never used where it does not help."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.pi.test_overnight import night

from somnisphere.journal import Journal
from somnisphere.night import EPOCH_S, Epoch
from somnisphere.sleep.features import CONTEXT_COLUMNS
from somnisphere.sleep.model import StageModel, load_model
from somnisphere.sleep.overnight import revise
from somnisphere.sleep.person import FEWEST_JUDGED, LEAST_GAIN, NIGHTS, Person
from somnisphere.sleep.stager import SleepStager
from somnisphere.sleeper import Sleeper
from somnisphere.training.figures import kappa
from somnisphere.training.fit import FOLDS
from somnisphere.training.readers import own
from somnisphere.training.spoil import LabelledNight, begun_late, with_gaps, with_waking_before

WIDTH = len(load_model("live").network.mean)
AT_S = 1773525600.0


def long_night(seed: int) -> list[Epoch]:
    """Three and a half hours."""
    two = [*night(np.random.default_rng(seed)), *night(np.random.default_rng(seed + 100))[60:]]
    return [
        Epoch(k, k * EPOCH_S, None, True, None, e.heart_series_bpm, None, 0, 0.0, None, None, e.motion_counts)
        for k, e in enumerate(two)
    ]


def after(seeds: list[int]) -> Person:
    person = Person()
    for seed in seeds:
        person = person.after(epochs := long_night(seed), revise(epochs))
    return person


def trusted(gains: tuple[float, ...]) -> bool:
    return Person((np.zeros(WIDTH),), gains).trusted


def test_trust_is_earned_by_several_nights_and_more_than_chance() -> None:
    assert not Person().trusted
    assert not trusted((0.05,) * (FEWEST_JUDGED - 1))
    assert trusted((0.05, 0.04, 0.06))
    assert not trusted((0.3, -0.1, -0.1)), "one lucky night"
    assert not trusted((LEAST_GAIN / 2,) * NIGHTS), "too little to be worth it"
    assert not trusted((-0.05,) * NIGHTS)


def test_trust_can_be_lost() -> None:
    assert not trusted((0.05, 0.04, 0.06, -0.2))


def test_until_it_is_trusted_the_stager_is_the_one_everybody_gets() -> None:
    """To the bit, however odd the person's middle."""
    person = Person((np.full(WIDTH, 3.0),) * 5, (-0.1,) * 4)
    assert person.shift() is None
    epochs = night(np.random.default_rng(1))
    mine, base = SleepStager(shift=person.shift()), SleepStager()
    assert [mine.step(e) for e in epochs] == [base.step(e) for e in epochs]


def test_a_shift_moves_live_answers_and_leaves_the_clock_alone() -> None:
    person = Person((np.full(WIDTH, 1.0),) * 9, (0.1, 0.11, 0.12))
    shift = person.shift()
    assert shift is not None
    share = shift / load_model("live").network.scale
    np.testing.assert_allclose(share, 0.25 * 9 / 10)
    taught = after([1])
    assert np.all(taught.middles[0][CONTEXT_COLUMNS] == 0.0)
    assert np.any(taught.middles[0] != 0.0)
    epochs = night(np.random.default_rng(1))
    mine, base = SleepStager(shift=shift), SleepStager()
    assert [mine.step(e).probabilities for e in epochs] != [base.step(e).probabilities for e in epochs]


def test_each_night_is_judged_by_those_before_it_and_ten_are_remembered() -> None:
    person = after([1, 2, 3])
    assert len(person.middles) == 3
    assert len(person.gains) == 2, "the first night had nothing to be judged with"
    many = Person(tuple(np.full(WIDTH, float(k)) for k in range(NIGHTS)), (0.0,) * NIGHTS)
    epochs = long_night(4)
    more = many.after(epochs, revise(epochs))
    assert (len(more.middles), len(more.gains)) == (NIGHTS, NIGHTS)
    assert more.middles[0][0] == 1.0, "the oldest was forgotten"


def test_a_middle_that_is_not_theirs_is_not_trusted() -> None:
    """Nights of somebody else before: what they would have taught only does harm, and is seen to."""
    person = Person((np.full(WIDTH, 2.5),) * 6)
    for seed in range(1, 6):
        moved = person.after(epochs := long_night(seed), revise(epochs))
        person = Person(person.middles, moved.gains)  # the stranger's middle stays
    assert np.mean(person.gains) < 0.0
    assert not person.trusted


def test_a_short_or_blind_night_teaches_nothing() -> None:
    person = after([1])
    short = long_night(2)[:200]
    assert person.after(short, revise(short)) is person
    blind = night(np.random.default_rng(2), known=False)
    assert person.after(blind, revise(blind)) is person


def test_what_was_learned_is_kept_and_forgotten_with_other_weights(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    assert journal.saved_person() is None
    sleeper = Sleeper(learned=journal.saved_person(), keep=journal.save_person)
    for seed in (1, 2):
        sleeper.stager(AT_S)
        sleeper.revise(long_night(seed))
    journal.close()
    again_open = Journal(tmp_path / "journal.db")
    saved = again_open.saved_person()
    again_open.close()
    assert saved is not None
    again = Sleeper(learned=saved).person
    np.testing.assert_allclose(again.middles, sleeper.person.middles, atol=1e-3)
    assert again.gains == sleeper.person.gains
    changes: tuple[dict[str, Any], ...] = ({"weights": "others"}, {"middles": [[1.0]]}, {"gains": [None]}, {"gains": 3})
    for change in changes:
        broken = saved | change
        assert Person.from_dict(broken).middles == ()
    assert len(json.dumps(saved)) < 4000


def test_an_infants_nights_teach_nothing() -> None:
    sleeper = Sleeper("2026-01")
    sleeper.stager(AT_S)
    sleeper.revise(long_night(1))
    assert sleeper.person.middles == ()


# ---- on nights that people scored ------------------------------------------------------------------------------------


def epochs_of(labelled: LabelledNight) -> list[Epoch]:
    def known(values: NDArray[np.float64]) -> tuple[float | None, ...]:
        return tuple(None if np.isnan(value) else float(value) for value in values)

    rows = zip(labelled.heart_bpm, labelled.counts, strict=True)
    return [
        Epoch(k, k * EPOCH_S, None, True, None, known(heart), None, 0, 1.0, None, None, known(counts))
        for k, (heart, counts) in enumerate(rows)
    ]


def judged(labelled: LabelledNight, shift: NDArray[np.float64] | None) -> float:
    stager = SleepStager(shift=shift)
    said = [stager.step(epoch).probabilities for epoch in epochs_of(labelled)]
    pairs = [(true, np.argmax(p)) for true, p in zip(labelled.stage, said, strict=True) if true >= 0 and p is not None]
    truth, best = np.array(pairs).T
    return kappa(truth, best)


Vary = Callable[[LabelledNight, np.random.Generator], LabelledNight]
VARIED: tuple[Vary, ...] = (
    lambda n, rng: with_waking_before(n, 20, rng),
    with_gaps,
    lambda n, _: begun_late(n, 40),
    lambda n, rng: with_gaps(with_waking_before(n, 45, rng), rng),
)


@pytest.fixture
def recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> LabelledNight:
    """One real night, and a stager made of that one of its five networks which has not learned from it."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    root = Path(os.environ.get("SOMNISPHERE_DATA", beside)) / "sleep" / "train" / "walch"
    if not root.exists():
        pytest.skip(f"no labelled nights at {root}; set SOMNISPHERE_DATA")
    place: int = request.param

    def unseen(name: str, path: Path | None = None) -> StageModel:
        model, one = load_model(name, path), slice(place % FOLDS, place % FOLDS + 1)
        whole = model.network
        network = replace(
            whole,
            entry=whole.entry[one],
            entry_bias=whole.entry_bias[one],
            mix=whole.mix[:, :, one],
            mix_bias=whole.mix_bias[:, one],
            output=whole.output[one],
            output_bias=whole.output_bias[one],
        )
        return replace(model, network=network)

    for module in ("person", "overnight", "stager"):
        monkeypatch.setattr(f"somnisphere.sleep.{module}.load_model", unseen)
    return own.read(sorted(root.glob("*.npz"))[place])


def after_ten_nights(recorded: LabelledNight) -> Person:
    """Ten made of one real night, with more waking before, gaps and later starts: the recordings have one a person."""
    rng, person = np.random.default_rng(1), Person()
    for k in range(NIGHTS):
        epochs = epochs_of(VARIED[k % len(VARIED)](recorded, rng))
        person = person.after(epochs, revise(epochs))
    assert len(person.middles) == NIGHTS
    return person


@pytest.mark.data
@pytest.mark.parametrize(("recorded", "used"), [(0, False), (4, True), (8, True), (12, True)], indirect=["recorded"])
def test_ten_nights_never_make_it_worse_than_the_base(recorded: LabelledNight, used: bool) -> None:
    """Whichever stager is then chosen agrees with the people who scored the night as well as the base does."""
    shift = after_ten_nights(recorded).shift()
    assert (shift is not None) is used
    assert judged(recorded, shift) >= judged(recorded, None)


@pytest.mark.data
@pytest.mark.parametrize("recorded", [4, 16], indirect=True)
def test_ten_nights_help_somebody_whose_heart_varies_half_as_much_as_those_learned_from(
    recorded: LabelledNight,
) -> None:
    level = np.nanmedian(recorded.heart_bpm)
    steady = replace(recorded, heart_bpm=level + 0.5 * (recorded.heart_bpm - level))
    shift = after_ten_nights(steady).shift()
    assert shift is not None
    assert judged(steady, shift) > judged(steady, None) + 0.01
