"""A box that was lived with: nights, words, dreams, voices, a circle, cards; each with words of its own to look for."""

import shutil
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tests.cli_words import configured

from somnisphere.circle.tables import MIGRATIONS as CIRCLE
from somnisphere.coach.store import CoachStore
from somnisphere.comfort_file import ComfortFile
from somnisphere.diary.seal import Step
from somnisphere.diary.store import Diary
from somnisphere.diary.telling import Telling
from somnisphere.dreams.store import DreamStore
from somnisphere.dreams.telling import Dream
from somnisphere.evening_file import EveningFile
from somnisphere.events import KeepComfort
from somnisphere.household_file import connect
from somnisphere.journal import Journal, Told
from somnisphere.journal_rows import answer_row, body_row
from somnisphere.journal_tail import JournalTail
from somnisphere.night import EPOCH_S, Epoch, NightTimes, Presence, Stage, StageEstimate
from somnisphere.page.sessions import Sessions
from somnisphere.safekeeping.belongings import Belongings
from somnisphere.weaver.store import WeaverStore
from somnisphere.weaver.table import Table

DATES = ("2026-03-10", "2026-03-12", "2026-03-14")
EPOCHS = 40


def begins_s(night: str) -> float:
    return time.mktime(datetime.fromisoformat(f"{night}T22:30").timetuple())


def an_epoch(k: int, start_s: float) -> Epoch:
    """Every seventh has no heart, every fifth no breath."""
    return Epoch(
        index=k,
        start_s=start_s,
        presence=Presence.PULSE,
        in_bed=True,
        heart_bpm=None if k % 7 == 3 else 55.0 + k / 8,
        heart_series_bpm=(61.0, None, 62.5, 61.0, 60.0, None),
        rmssd_ms=42.5,
        beat_count=30,
        pulse_quality=0.9,
        breath_bpm=None if k % 5 == 2 else 14.25,
        spo2_pct=96.5 if k % 2 else None,
        motion_counts=(0.0, None if k % 11 == 5 else 12.5),
    )


def an_estimate(k: int, start_s: float) -> StageEstimate:
    stage = (Stage.AWAKE, Stage.LIGHT, Stage.DEEP, Stage.REM, None)[k // 4 % 5]
    if stage is None:
        return StageEstimate(k, start_s, None, None, "no pulse")
    return StageEstimate(k, start_s, stage, (0.1, 0.6, 0.2, 0.1))


def keep_night(journal: Journal, night: str, *, story: str = "") -> None:
    at_s = begins_s(night)
    journal.open_night(night, at_s)
    for k in range(EPOCHS):
        start_s = at_s + k * EPOCH_S
        journal.add_epoch(night, start_s, an_epoch(k, start_s), an_estimate(k, start_s))
    journal.add_told(None, Told(at_s - 600.0, story or f"Story of {night}", "Ida", ""))
    journal.add_moment(None, at_s - 600.0, "story_began")
    journal.add_moment(night, at_s + 120.0, "fell_asleep", 0.9)
    ended_s = at_s + EPOCHS * EPOCH_S
    times = NightTimes(night, at_s, at_s + 120.0, ended_s - 60.0, ended_s)
    journal.close_night(night, ended_s, times)


@dataclass(frozen=True)
class LivedIn:
    belongings: Belongings
    config: Path
    shelf: Path


def lived_in(folder: Path) -> LivedIn:
    """Words that may be looked for afterwards: WORD-<night>, DREAM-<night>, STORY-<night>."""
    state, shelf = folder / "state", folder / "shelf"
    state.mkdir(parents=True, mode=0o700)
    shelf.mkdir()
    belongings = Belongings(state / "journal.db")
    journal = Journal(belongings.journal)
    for night in DATES:
        keep_night(journal, night, story=f"STORY-{night}")
    last_s = begins_s(DATES[-1])
    journal.save_ritual({"state": {"at_s": 9.0, "note": f"RITUAL-{DATES[-1]}"}}, 10.0, last_s + 900.0)
    journal.save_bookmark("attic.txt", 31.5)
    journal.save_clock(("boot", 1.0, 1, DATES[-1], 0, 0, 0))
    journal.close()
    waiting_s = last_s + EPOCHS * EPOCH_S
    waiting = (body_row(an_epoch(EPOCHS, waiting_s)), answer_row(an_estimate(EPOCHS, waiting_s)))
    JournalTail(belongings.journal).append([(DATES[-1], EPOCHS, waiting_s, *waiting)])
    assert not journal.problem
    EveningFile(belongings.evening).save({"state": {"at_s": 9.0, "note": f"EVENING-{DATES[-1]}"}}, 10.0, last_s + 900.0)
    comfort = ComfortFile(belongings.comfort)
    for night in DATES:
        comfort.keep(KeepComfort("glow", "woke", 0.0), begins_s(night) + 333.0)
    diary, dreams = Diary(belongings.household), DreamStore(belongings.household)
    for night in DATES:
        diary.tell(night, Telling("adult", {"words": f"WORD-{night}"}), begins_s(night) + 40000.0)
        diary.step(night, Step.OPEN, begins_s(night) + 40001.0)
        morning = date.fromisoformat(night).toordinal() + 1
        dream = Dream(f"DREAM-{night}", "a door", "a fox", "home")
        (shelf / f"dream {night}.txt").write_text(f"REWOVEN-{night}")
        dreams.keep(dream, f"dream {night}.txt", f"REWOVEN-{night}", "grammar", date.fromordinal(morning))
    WeaverStore(belongings.household).new(Table("the table", "en", ("Ida",)), begins_s(DATES[0]))
    CoachStore(belongings.household).say_welcome(True, date(2026, 1, 5))
    sessions = Sessions(belongings.household)
    sessions.set_pin("a-hash-of-a-pin")
    sessions.begin("a phone", begins_s(DATES[-1]))
    connect(belongings.household, "circle", CIRCLE).close()
    for path, content in (
        (belongings.files["light.json"], '{"version": 1, "led_ma": {}}'),
        (belongings.files["cards.json"], '{"version": 1, "cards": {}}'),
        (belongings.folders["voices"] / "0a1b.ogg", "a voice"),
        (belongings.folders["circle"] / "household.key", "ab" * 32),
        (belongings.folders["circle"] / "evenings" / "one-two" / "evening.json", "{}"),
        (belongings.folders["circle"] / "f00.partial", "half a story"),
        (belongings.folders["circle"] / "offered" / "f00.story", "a packed story"),
    ):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content)
    (shelf / "attic.txt").write_text("Once there was an attic.")
    return LivedIn(belongings, configuration(folder), shelf)


def configuration(folder: Path) -> Path:
    state, shelf = folder / "state", folder / "shelf"
    text = f'[journal]\npath = "{state}/journal.db"\n[stories]\nfolder = "{shelf}"\ncache = "{folder}/cache"\n'
    return configured(folder, text)


def moved(box: LivedIn, folder: Path) -> LivedIn:
    """Another box like it, in this folder."""
    house = box.config.parent
    for name in ("state", "shelf"):
        shutil.copytree(house / name, folder / name, symlinks=True)
    return LivedIn(Belongings(folder / "state" / "journal.db"), configuration(folder), folder / "shelf")


def content_of(folder: Path) -> dict[str, bytes]:
    """Every file below, by its name."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
