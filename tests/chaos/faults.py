"""The words of a chaos night: what can go wrong, and what hands do meanwhile. Pure data; ``schedule.py`` draws it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    # ---- bus
    NACK = "nack"  # nobody acknowledges, now and then
    TIMEOUT = "timeout"  # transfers hang for a second
    STUCK_HIGH = "stuck_high"  # every read is 0xFF
    STUCK_LOW = "stuck_low"
    CUT = "cut"  # bursts break off in the middle
    CORRUPT = "corrupt"  # single bits of what is read are flipped
    CABLE_OUT = "cable_out"  # both chips unplugged
    # ---- chips
    PULSE_OUT = "pulse_out"
    MOTION_OUT = "motion_out"
    CHIP_RESET = "chip_reset"
    WRONG_ID = "wrong_id"  # unplugged, and something else answers for a while
    STALL = "stall"  # nobody reads: the FIFOs overflow
    SATURATED = "saturated"
    FROZEN = "frozen"  # the pulse sensor repeats one sample
    GARBLED_REGISTERS = "garbled_registers"
    LOOSE_CONTACT = "loose_contact"
    # ---- broker and home
    BROKER_KILLED = "broker_killed"
    BROKER_FORGOT = "broker_forgot"  # killed, and what it retained is gone
    BROKER_SLOW = "broker_slow"
    BROKER_HALF_OPEN = "broker_half_open"  # nothing arrives, and nobody says so
    HOME_KILLED = "home_killed"
    HOME_HUNG = "home_hung"
    # ---- player
    MPV_KILLED = "mpv_killed"
    MPV_HUNG = "mpv_hung"
    SOUND_GONE = "sound_gone"  # no sound card
    # ---- the box
    SIGKILL = "sigkill"
    RESTART = "restart"
    DISK_FULL = "disk_full"
    CLOCK_FORWARD = "clock_forward"
    CLOCK_BACK = "clock_back"
    CLOCK_UNSET = "clock_unset"  # killed; boots with a clock of days ago, which the network then sets
    # ---- hands
    PRESS = "press"
    COMMAND = "command"
    CARD = "card"
    CARD_READER_GONE = "card_reader_gone"


DARK = frozenset(
    (Kind.STUCK_HIGH, Kind.STUCK_LOW, Kind.CABLE_OUT, Kind.PULSE_OUT, Kind.WRONG_ID, Kind.SIGKILL, Kind.CLOCK_UNSET)
)
"""While one of these lasts nothing can be known of the pulse."""

OF_THE_HOME = frozenset((Kind.HOME_KILLED, Kind.HOME_HUNG))
OF_CARDS = frozenset((Kind.CARD, Kind.CARD_READER_GONE))
OF_MPV = frozenset((Kind.MPV_KILLED, Kind.MPV_HUNG, Kind.SOUND_GONE))


@dataclass(frozen=True, slots=True)
class Fault:
    """``at_s``: seconds after the night's beginning. ``size``: by kind a chance, seconds of a jump, an address.
    ``what``: by kind a press, a command and its payload."""

    kind: Kind
    at_s: float
    for_s: float = 0.0
    size: float = 0.0
    what: str = ""

    @property
    def until_s(self) -> float:
        return self.at_s + self.for_s

    def __str__(self) -> str:
        tail = f" for {self.for_s:g} s" if self.for_s else ""
        return f"{self.at_s:7.1f} s  {self.kind}{tail}" + (f" [{self.size:g}]" if self.size else "") + f" {self.what}"
