"""What a letter may tell of one night: ranges, what is not known, and who read to whom. Pure."""

from dataclasses import dataclass

from somnisphere.diary.learning import Learned
from somnisphere.journal import KeptNight, Told
from somnisphere.night import EPOCH_S
from somnisphere.sleep.facts import Range, ranges, summarize

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """Times of day are seconds after the midnight before the evening, so that a night's own are in order."""

    night_id: str
    in_bed_s: float | None = None
    left_bed_s: float | None = None
    onset: Range | None = None
    waking: Range | None = None
    sleep_min: Range | None = None
    recorded_min: float = 0.0
    unknown_min: float = 0.0
    told: tuple[Told, ...] = ()
    sensed_onset_wall_s: float | None = None
    """The sensor's own onset, Unix seconds, as it was before anything was learned."""


def letter_facts(kept: KeptNight, utc_offset_s: float, learned: Learned = Learned()) -> LetterFacts:  # noqa: B008
    """Of a kept night whose epochs are in Unix seconds. ``learned`` moves the range of the onset as tellings taught."""
    facts, found = summarize(kept.estimates), ranges(kept.estimates)
    times = kept.times
    day_s = (kept.began_wall_s + utc_offset_s) // DAY_S * DAY_S
    if (kept.began_wall_s + utc_offset_s) % DAY_S < DAY_S / 2:  # begun after midnight: of the evening before
        day_s -= DAY_S

    def clock(wall_s: float | None) -> float | None:
        return None if wall_s is None else wall_s + utc_offset_s - day_s

    def clocks(bounds: Range | None, shift_s: float = 0.0) -> Range | None:
        if bounds is None:
            return None
        offset_s = utc_offset_s - day_s
        return Range(bounds.low + min(shift_s, 0.0) + offset_s, bounds.high + max(shift_s, 0.0) + offset_s)

    slept = facts.onset_s is not None
    return LetterFacts(
        times.night_id,
        clock(times.in_bed_s),
        clock(times.left_bed_s),
        clocks(found.onset_s, learned.shift_s),
        clocks(found.final_waking_s),
        found.sleep_min if slept else None,
        len(kept.epochs) * EPOCH_S / 60.0,
        facts.unknown_min,
        kept.told,
        facts.onset_s,
    )
