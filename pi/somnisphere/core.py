"""The sans-IO heart: ``receive(event) -> list[Action]``. Owns no thread, socket, file or clock.

Samples go to the pipeline, epochs to the stager, estimates to the watch that makes cues of them, cues to the ritual.
Hands (button, home) go to the ritual at once. A whole night runs in a ``for`` loop and replays bit for bit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from somnisphere.bedtime.phases import Cue, Phase
from somnisphere.bedtime.ritual import Ritual
from somnisphere.bedtime.shelf import Shelf
from somnisphere.comfort.at_the_bed import Comfort
from somnisphere.cues import CueGiven
from somnisphere.events import (
    Action,
    Announce,
    BeginNight,
    BrokerReported,
    ButtonPressed,
    CommandReceived,
    EndNight,
    Event,
    HomeReported,
    KeepEpoch,
    LampReported,
    PlayerReported,
    Say,
    SetSensing,
    ShelfChanged,
    Tick,
)
from somnisphere.home_facts import HomeFacts
from somnisphere.lamp_by_hand import LampByHand
from somnisphere.listeners import Listener, Listeners
from somnisphere.night import DAY_S, Epoch, NightTimes, StageEstimate
from somnisphere.night_in_progress import NightInProgress, night_id_of
from somnisphere.redating import ClockSteps, date_anew
from somnisphere.sleep.dozing import dozed_off
from somnisphere.sleep.facts import summarize
from somnisphere.sleep.pipeline import SleepPipeline
from somnisphere.sleeper import Stager
from somnisphere.snapshot import Health, Snapshot
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock

MORNING_FROM_S = 4.5 * 3600.0
MORNING_UNTIL_S = 14 * 3600.0
Revise = Callable[[Sequence[Epoch]], Sequence[StageEstimate]]
"""The overnight answer: a whole night's epochs in, one estimate each out."""


class Core:
    def __init__(
        self,
        ritual: Ritual,
        shelf: Shelf,
        pipeline: SleepPipeline,
        new_stager: Callable[[float], Stager],
        revise: Revise,
        listeners: Sequence[Listener] = (),
        begin_waits_s: float = 0.0,
        comfort: Comfort | None = None,
    ) -> None:
        self._ritual = ritual
        self._shelf = shelf
        self._pipeline = pipeline
        self._new_stager = new_stager
        self._revise = revise
        self._listeners = Listeners(ritual, shelf, listeners, begin_waits_s)
        self._house = HomeFacts()
        self.comfort = comfort or Comfort()
        self._tick = Tick(0.0, 0.0)
        self._clock = ClockSteps()
        self._night: NightInProgress | None = None
        self._estimate: StageEstimate | None = None
        self._parts: dict[str, PartState] = {}
        self._pulse_problem = ""
        self._player: PlayerReported | None = None
        self._lamp = LampByHand()
        self.last_night: NightTimes | None = None
        self.sensing = True
        """A person may switch it off; then nothing is known, and that is no trouble."""

    # ---- in -------------------------------------------------------------------------------------------------------

    def receive(self, event: Event) -> list[Action]:
        """Take one event; return what is to be done about it, in order."""
        match event:
            case PulseBlock() | MotionBlock():
                self._pipeline.add(event)
                return []
            case Tick():
                return self._on_tick(event)
            case PartState():
                return self._on_part(event)
            case PlayerReported() if self.comfort.takes(event):
                return []
            case PlayerReported():
                self._player = event
                return list(self._ritual.player(event))
            case LampReported():
                self._lamp.lightness_pct = event.lightness_pct
                return []
            case ButtonPressed():
                quiet = self.comfort.hand(event.at_s)
                return [*quiet, *self._with_night(self._ritual.press(event.press, event.at_s), event.at_s)]
            case CommandReceived():
                quiet = self.comfort.hand(event.at_s)
                return [*quiet, *self._with_night(self._command(event), event.at_s)]
            case ShelfChanged():
                self._shelf.put(event.stories)
                return []
            case HomeReported():
                self._house.heard(event)
                return []
            case BrokerReported():  # that it is gone, and why, the link has said
                return [Say("The broker answers.")] if event.connected else []

    def _on_part(self, state: PartState) -> list[Action]:
        self._parts[state.part] = state
        self._pipeline.add(state)
        if not self.sensing:
            return []
        return [Say(f"The {state.part} sensor ({state.chip}) answers.") if state.ok else Say(state.problem, "warning")]

    def _on_tick(self, tick: Tick) -> list[Action]:
        by_s, self._tick = self._clock.step(tick), tick
        dated = date_anew(self._night, by_s, tick, self.carry_on) if by_s else []
        free = self._ritual.state.phase in (Phase.IDLE, Phase.MORNING)
        name, actions = self._listeners.begins(tick, free=free, up=self._house.up_lately(tick.at_s))
        if name is not None:
            began = [*self._listeners.choose(name, tick.at_s), *self._ritual.receive(Cue.BEGIN, tick.at_s)]
            actions += self._with_night(began, tick.at_s)
        for epoch in self._pipeline.advance(tick.at_s):
            actions += self._on_epoch(epoch)
        if (problem := self._pipeline.pulse_problem) != self._pulse_problem:
            self._pulse_problem = problem
            actions.append(Say(problem, "warning") if problem else Say("The pulse sensor's light is usable again."))
        actions += self._ritual.tick(tick.at_s, self._likelihood)
        return [*dated, *actions, *self.comfort.tick(tick.at_s)]

    @property
    def _likelihood(self) -> float | None:
        return None if self._night is None or self._estimate is None else self._estimate.likelihood_of_sleep

    def _on_epoch(self, epoch: Epoch) -> list[Action]:
        actions: list[Action] = []
        if self._night is None:
            if not epoch.in_bed or self._is_morning(epoch.start_s):
                self._estimate = None
                return []
            actions += self._open_night(epoch.start_s)
        assert self._night is not None
        for due in self._night.on_grid(epoch):
            estimate = self._night.stager.step(due)
            self._night.epochs.append(due)
            actions.append(KeepEpoch(due, estimate))
            if due.in_bed and self._night.times.in_bed_s is None:
                self._night.times = replace(self._night.times, in_bed_s=self._tick.wall_at(due.start_s))
                actions.append(Announce("in_bed", due.start_s))
            self._estimate = estimate
            cues = self._night.watch.step(due, estimate, is_morning=self._is_morning(due.start_s))
            actions += self.comfort.epoch(due, self._night.watch, cues, self._ritual, self._tick.at_s)
            for given in cues:
                actions += self._on_cue(given)
                if given.cue is Cue.NIGHT_OVER:
                    return actions
        return actions

    def _on_cue(self, given: CueGiven) -> list[Action]:
        night = self._night
        assert night is not None
        since_wall_s = self._tick.wall_at(given.since_s)
        if given.cue in (Cue.SLEPT, Cue.RESETTLED):
            actions: list[Action] = list(self._ritual.slept(given.at_s, given.since_s, given.cue))
            if night.times.fell_asleep_s is None:
                night.times = replace(night.times, fell_asleep_s=since_wall_s)
        elif given.cue is Cue.NIGHT_OVER:
            return self._end(night, given)
        else:
            actions = list(self._ritual.receive(given.cue, given.at_s))
        if given.cue is Cue.WOKE:
            night.times = replace(night.times, woke_up_s=since_wall_s)
        elif given.cue is Cue.ROSE:
            night.times = replace(night.times, left_bed_s=since_wall_s)
        # The ritual announces; only here is it known how sure we are.
        sure = given.confidence
        return [replace(action, confidence=sure) if isinstance(action, Announce) else action for action in actions]

    def _end(self, night: NightInProgress, given: CueGiven) -> list[Action]:
        """The night is over: all of it in hand, sleep and bookmark are dated anew. An evening begun since goes on."""
        estimates = tuple(self._revise(night.epochs))
        facts = summarize(estimates)
        times, actions = night.times, list[Action]()
        if facts.onset_s is not None and facts.final_waking_s is not None:
            asleep_s, awake_s = self._tick.wall_at(facts.onset_s), self._tick.wall_at(facts.final_waking_s)
            times = replace(times, fell_asleep_s=asleep_s, woke_up_s=awake_s)
        if (dozing := dozed_off(estimates, self._ritual.story_ended_s)) is not None:
            actions += self._ritual.date_onset(dozing.first_s, dozing.latest_s)
        actions += [] if self._ritual.begun_after(given.at_s) else self._ritual.receive(Cue.NIGHT_OVER, given.at_s)
        self.last_night, self._night, self._estimate = times, None, None
        return [*actions, EndNight(times, tuple(night.epochs), estimates), *self._with_night([], self._tick.at_s)]

    # ---- nights ---------------------------------------------------------------------------------------------------

    def _with_night(self, actions: Sequence[Action], at_s: float) -> list[Action]:
        """What a hand asked for; an evening that is begun by hand opens the night."""
        if self._night is None and self._ritual.state.phase not in (Phase.IDLE, Phase.MORNING):
            return [*self._open_night(at_s), *actions]
        return list(actions)

    def _open_night(self, at_s: float) -> list[Action]:
        night_id = night_id_of(self._tick.wall_at(at_s) + self._tick.utc_offset_s)
        self._night = NightInProgress(NightTimes(night_id), self._new_stager(self._tick.wall_at(at_s)))
        self.comfort.begin_night()
        return [BeginNight(night_id, at_s)]

    def carry_on(
        self, times: NightTimes, epochs: Sequence[Epoch], carried: int = 0, before: NightTimes | None = None
    ) -> list[StageEstimate]:
        """Take up a night after a restart. ``epochs`` in this run's ``at_s``; they pass through the stager again.

        Their cues were given before the restart: only what the watch remembers is built anew. ``carried``: so many, and
        the times ``before`` (else all), were dated by the clock of an earlier start of the machine.
        """
        stager = self._new_stager(self._tick.wall_at(epochs[0].start_s) if epochs else self._tick.wall_s)
        self._night = NightInProgress(times, stager, carried, before)
        estimates = [stager.step(epoch) for epoch in epochs]
        for epoch, estimate in zip(epochs, estimates, strict=True):
            self._night.epochs.append(epoch)
            self._night.watch.step(epoch, estimate, is_morning=self._is_morning(epoch.start_s))
        self._estimate = estimates[-1] if estimates else None
        return estimates

    def ritual_state(self) -> dict[str, Any]:
        """The evening as the journal keeps it."""
        return self._ritual.to_dict()

    @property
    def ritual_phase(self) -> Phase:
        return self._ritual.state.phase

    @property
    def ritual_place(self) -> object:
        """Changes whenever ``ritual_state`` is worth keeping at once: with each sentence, each phase."""
        return self._ritual.place_number

    def restore_ritual(self, saved: Mapping[str, Any], shift_s: float, at_s: float) -> list[Action]:
        """Take up a saved evening; ``shift_s`` makes its times this run's. After ``carry_on``: it may want a night."""
        state = saved.get("state")
        if isinstance(state, Mapping):
            self._listeners.take_up(str(state.get("listener", "")), at_s)
        return self._with_night(list(self._ritual.restore(saved, shift_s, at_s)), at_s)

    @property
    def night_times(self) -> NightTimes | None:
        """When things happened in the night in progress."""
        return None if self._night is None else self._night.times

    @property
    def night_epochs(self) -> Sequence[Epoch]:
        """The epochs of the night in progress so far."""
        return () if self._night is None else tuple(self._night.epochs)

    def _is_morning(self, at_s: float) -> bool:
        if self._tick.clock_problem:
            return False
        return MORNING_FROM_S <= (self._tick.wall_at(at_s) + self._tick.utc_offset_s) % DAY_S < MORNING_UNTIL_S

    # ---- the home -------------------------------------------------------------------------------------------------

    def _command(self, command: CommandReceived) -> list[Action]:
        at_s, value = command.at_s, command.value
        wishes: dict[str, Callable[[], Sequence[Action]]] = {
            "begin": lambda: self._ritual.receive(Cue.BEGIN, at_s),
            "stop": lambda: self._ritual.receive(Cue.STOP, at_s),
            "one_more_page": lambda: self._ritual.one_more_page(at_s),
            "pause": lambda: self._ritual.pause(at_s),
            "resume": lambda: self._ritual.resume(at_s),
            "play": lambda: self._ritual.play(str(value[0]), value[1], at_s),
            "seek": lambda: self._ritual.seek(float(value), at_s),
            "start_over": lambda: self._ritual.start_over(at_s),
            "other_place": lambda: self._ritual.other_place(at_s),
            "listener": lambda: self._listeners.choose(str(value), at_s),
            "follow_sleep": lambda: self._ritual.set_follow_sleep(bool(value), at_s),
            "story": lambda: self._ritual.choose_story(str(value), at_s),
            "volume": lambda: self._ritual.set_volume(float(value), at_s),
            "fade_time": lambda: self._ritual.set_fade_time(float(value), at_s),
            "lamp": lambda: self._lamp.wished(value, self._ritual, at_s),
            "sensing": lambda: self._switch_sensing(bool(value)),
        }
        return list(wishes[command.key]())

    def _switch_sensing(self, on: bool) -> Sequence[Action]:
        self.sensing = on
        return [SetSensing(on), Say(f"Sensing is switched {'on' if on else 'off'}.")]

    def snapshot(self, health: Health | None = None) -> Snapshot:
        """All that the home may see now."""
        vitals, ritual, night, estimate = self._pipeline.vitals, self._ritual.state, self._night, self._estimate
        pulse, motion = self._parts.get("pulse"), self._parts.get("motion")
        problems = [part.problem for part in (pulse, motion) if part is not None and not part.ok and self.sensing]
        problems += [self._pulse_problem] if self._pulse_problem and self.sensing else []
        player = None if self._player is None or self._player.is_history(self._tick.at_s) else self._player
        story = (ritual.story_key and self._shelf.find(ritual.story_key)) or self._shelf.current()
        return Snapshot(
            at_s=self._tick.at_s,
            wall_s=self._tick.wall_s,
            sensing=self.sensing,
            phase=ritual.phase,
            night_id=None if night is None else night.times.night_id,
            stage=None if estimate is None else estimate.stage,
            stage_reason="no night in progress" if estimate is None else estimate.reason,
            probabilities=None if estimate is None else estimate.probabilities,
            asleep=False if night is None else night.watch.asleep,
            likelihood=self._likelihood,
            heart_bpm=vitals.heart_bpm,
            rmssd_ms=vitals.rmssd_ms,
            pulse_quality=vitals.pulse_quality,
            breath_bpm=vitals.breath_bpm,
            spo2_pct=vitals.spo2_pct,
            motion_count=vitals.motion_count,
            presence=vitals.presence,
            in_bed=vitals.in_bed,
            pulse_ok=pulse is not None and pulse.ok,
            motion_ok=motion is not None and motion.ok,
            sensor_problem=" ".join(problems),
            player_ok=player is None or player.state != "failed",
            player_problem="" if player is None else player.problem,
            listener=self._listeners.name,
            listeners=self._listeners.names,
            follow_sleep=ritual.follow_sleep,
            bookmark=None if story is None else self._shelf.place(story.key),
            story_titles=self._shelf.titles,
            story_title=self._shelf.title_of(None if story is None else story.key),
            story=story,
            story_paused=ritual.paused_by_hand,
            story_playing=player is not None and player.state == "playing",
            story_position_s=ritual.position_s,
            volume_pct=ritual.volume_pct,
            fade_min=ritual.fade_min,
            fade_db=ritual.fade_db,
            lamp_lightness_pct=self._lamp.lightness_pct,
            lamp_target_pct=ritual.lamp_target_pct,
            someone_up=self._house.someone_up(self._tick.at_s),
            bedroom_dark=self._house.bedroom_dark(self._tick.at_s),
            last_night=self.last_night if night is None else night.times,
            health=health or Health(),
        )
