"""The ladder beside the ritual: what the night's watch sees goes in, and who has lamp and speaker is asked. Pure."""

from collections.abc import Callable, Sequence

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import Ritual
from somnisphere.comfort.ladder import ComfortAction, ComfortSettings, Ladder, Room, Step
from somnisphere.comfort.memory import ComfortMemory
from somnisphere.cues import CueGiven, SleepWatch
from somnisphere.events import DimLamp, KeepComfort, PlayerReported, PlayStory
from somnisphere.night import Epoch

AWAKE = (Cue.STIRRED, Cue.WOKE, Cue.ROSE)


class Comfort:
    """``learned_nights``: how many nights taught what is usual for this sleeper."""

    def __init__(
        self,
        settings: ComfortSettings | None = None,
        memory: ComfortMemory | None = None,
        learned_nights: Callable[[], int] = int,
    ) -> None:
        self.ladder = Ladder(settings or ComfortSettings(), memory)
        self._learned_nights = learned_nights

    def carry_on(self, at_s: float, wall_s: float) -> list[ComfortAction]:
        """After a restart: a glow that a killed run left burning goes out."""
        self.ladder.carry_on(at_s, wall_s)
        return [DimLamp(0.0, 1.0), KeepComfort(Step.GLOW, "dark", at_s)] if self.ladder.memory.lit else []

    def begin_night(self) -> None:
        self.ladder.begin_night()

    def epoch(
        self, epoch: Epoch, watch: SleepWatch, cues: Sequence[CueGiven], ritual: Ritual, at_s: float
    ) -> list[ComfortAction]:
        """The next epoch of the night, with the cues that it gave and before anybody acted on them. ``at_s``: now,
        some seconds after its end."""
        ladder = self.ladder
        given = {cue.cue: cue for cue in cues}
        for cue in AWAKE:
            if cue in given:
                return ladder.woke(given[cue].since_s, at_s)
        if Cue.NIGHT_OVER in given or not watch.asleep or ritual.state.phase is not Phase.ASLEEP:
            return ladder.hand(at_s)
        known = [count for count in epoch.motion_counts if count is not None]
        actions = ladder.epoch(
            sum(known) / len(known) if known else None,
            at_s,
            began=Cue.DISTRESSED in given,
            goes_on=watch.distressed,
            learned_nights=self._learned_nights(),
            room=self._room(ritual),
        )
        if any(isinstance(action, PlayStory) for action in actions):
            ritual.lend_player()
        return actions

    def _room(self, ritual: Ritual) -> Room:
        state = ritual.state
        return Room(
            lamp_free=state.lamp_target_pct == 0 and not state.lamp_by_hand,
            speaker_free=not state.playing and not state.paused_by_hand,
        )

    def tick(self, at_s: float) -> list[ComfortAction]:
        return self.ladder.tick(at_s)

    def hand(self, at_s: float) -> list[ComfortAction]:
        return self.ladder.hand(at_s)

    def takes(self, report: PlayerReported) -> bool:
        """Whether the report is about comfort's own sound; then it is nobody else's business."""
        mine = self.ladder.sounding and report.path in (None, self.ladder.settings.sound)
        if mine and report.state in ("ended", "failed"):
            self.ladder.player_ended()
        return mine
