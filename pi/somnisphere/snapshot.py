"""Everything the home may see, at one moment: what ``entities.py`` reads and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from somnisphere.bedtime.phases import Phase
from somnisphere.bedtime.shelf import Place
from somnisphere.machine import NOT_LOOKED_AT, MachineState
from somnisphere.night import NightTimes, Presence, Stage
from somnisphere.story import Story
from somnisphere_home.release import Release

NO_RELEASE = Release()


@dataclass(frozen=True, slots=True)
class Health:
    """How the box is. Counters run from the daemon's start."""

    blocks_dropped: int = 0
    samples_lost: int = 0
    bus_errors: int = 0
    journal_problem: str = ""
    lamp_problem: str = ""
    household_problem: str = ""
    """What people told cannot be read."""
    sensing_problem: str = ""
    """That sensing is on or off cannot be kept."""
    home_problem: str = ""
    """The broker lets us in, and drops what we say or what is said to us."""
    house_quiet: bool = False
    """Somebody in the house sleeps, at this bedside or another."""
    oxygen_calibrated: str = ""
    """Against what the oxygen of this unit was calibrated, and when; "" when it was not."""
    started_wall_s: float | None = None
    published_wall_s: float | None = None
    """When the home was last told anything."""
    machine: MachineState = NOT_LOOKED_AT
    machine_problem: str = ""
    """It is too hot, too weakly fed or too busy, and what is put off for that."""
    clock_problem: str = ""
    """Why times are only guessed."""
    release: Release = NO_RELEASE
    """The newest release, as far as the household says."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``at_s`` monotonic, ``wall_s`` Unix seconds at ``at_s``. None in any field: not known."""

    at_s: float
    wall_s: float
    phase: Phase
    night_id: str | None = None
    sensing: bool = True
    """False: a person switched it off."""
    last_moments: Mapping[str, float] = field(default_factory=dict)
    """When each kind of moment happened last, Unix seconds."""

    stage: Stage | None = None
    stage_reason: str = ""
    probabilities: tuple[float, float, float, float] | None = None
    asleep: bool | None = None
    likelihood: float | None = None
    """Of sleep, slow: what the fade follows."""

    heart_bpm: float | None = None
    rmssd_ms: float | None = None
    pulse_quality: float | None = None
    breath_bpm: float | None = None
    spo2_pct: float | None = None
    motion_count: float | None = None
    presence: Presence | None = None
    in_bed: bool | None = None

    pulse_ok: bool = False
    motion_ok: bool = False
    sensor_problem: str = ""
    player_ok: bool = True
    player_problem: str = ""

    listener: str = ""
    listeners: tuple[str, ...] = ()
    follow_sleep: bool = True
    bookmark: Place | None = None
    """Where the story that plays, or would, begins next time."""
    story_titles: tuple[str, ...] = ()
    story_title: str | None = None
    """The story that plays, else the one that would."""
    story: Story | None = None
    """That story itself."""
    story_playing: bool = False
    story_paused: bool = False
    """A hand paused it, and it can go on."""
    story_position_s: float | None = None
    volume_pct: float = 0.0
    fade_min: float = 0.0
    fade_db: float = 0.0

    lamp_lightness_pct: float = 0.0
    lamp_target_pct: float = 0.0

    someone_up: bool | None = None
    bedroom_dark: bool | None = None
    """Both as Home Assistant knows it, where the household named its entities."""

    last_night: NightTimes | None = None
    health: Health = Health()

    @property
    def confidence(self) -> float | None:
        """Probability of the likeliest stage, or None when nothing is known."""
        return None if self.probabilities is None else max(self.probabilities)
