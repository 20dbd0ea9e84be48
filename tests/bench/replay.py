"""The heart rate that is published of real recordings: chip registers, driver, pipeline, session, message.

    python tests/bench/replay.py [--folder ../shared/data/ppg] [--broker] [NAME ...]

Each published heart rate is compared with the reference over the 30 s it speaks of. ``error``: median absolute error.
``told``: the share of the recording, from ``SETTLE_S`` on, in which the home was shown a number. ``--broker``: as a
subscriber of a mosquitto of its own hears it, at 300 times real time. NAME: only recordings whose name contains it.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

import numpy as np
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from somnisphere.config import Config
from somnisphere.recordings import Recording, read_recording
from somnisphere.rehearsal import RehearsalClock
from somnisphere.simulation import REPLAY_START_S, open_replay
from somnisphere_home.messages import OFFLINE, Message

ROOT = Path(__file__).resolve().parents[2]
VITALS, STATUS = "somnisphere/bedside/vitals", "somnisphere/bedside/status"
WINDOW_S = 30.0
BEHIND_S = 5.0
"""What is shown now was heard until so long ago: samples are gathered for 3 s and a beat is judged 2.5 s later."""
SETTLE_S = 45.0
"""Light and window are full by then."""
BROKER_SPEED = 300.0

Rates = list[tuple[float, float | None]]
"""(second of the recording, heart rate told then or None)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one recording. ``errors_bpm``: one for each heart rate published that has a reference."""

    name: str
    seconds: float
    errors_bpm: tuple[float, ...]
    told_share: float


def has_reference(recording: Recording) -> bool:
    return bool({"beat_times_s", "ref_hr_bpm", "ref_ecg_hr_bpm"} & set(recording.reference))


def reference_bpm(recording: Recording, until_s: float) -> float | None:
    """ECG beats where there are any, else the reference's own series, over the window that ends at ``until_s``.

    None where the reference says nothing, or of itself that it is doubtful (``ref_bad_spans_s``).
    """
    reference, from_s = recording.reference, max(0.0, until_s - WINDOW_S)
    doubtful_s = reference.get("ref_bad_spans_s", np.zeros((0, 2)))
    if ((doubtful_s[:, 0] < until_s) & (doubtful_s[:, 1] > from_s)).any():
        return None
    if "beat_times_s" in reference and "ref_ecg_hr_bpm" not in reference:
        beats_s = reference["beat_times_s"]
        beats_s = beats_s[(beats_s >= from_s) & (beats_s < until_s)]
        return 60.0 / float(np.diff(beats_s).mean()) if len(beats_s) > 5 else None
    key = "ref_ecg_hr_bpm" if "ref_ecg_hr_bpm" in reference else "ref_hr_bpm"
    here = (reference["ref_t_s"] >= from_s) & (reference["ref_t_s"] < until_s)
    values = reference[key][here]
    values = values[np.isfinite(values) & (values > 0)]
    return float(values.mean()) if len(values) else None


def compare(recording: Recording, rates: Rates) -> Heard:
    errors_bpm = [
        abs(rate - truth)
        for at_s, rate in rates
        if rate is not None and (truth := reference_bpm(recording, at_s - BEHIND_S)) is not None
    ]
    seconds = np.arange(min(SETTLE_S, recording.seconds / 2), recording.seconds)
    known = np.array([False, *(rate is not None for _, rate in rates)])
    told = known[np.searchsorted([at_s for at_s, _ in rates], seconds, side="right")]
    return Heard(recording.name, recording.seconds, tuple(errors_bpm), float(told.mean()))


def published(recording: Recording, folder: Path) -> Rates:
    """Every heart rate that the session gives out, at once and without a broker."""
    rates: Rates = []
    with open_replay(Config(), recording, folder, speed=0.0, broker=None) as replayed:

        def publish(message: Message) -> None:
            if message.topic == VITALS:
                rates.append((replayed.clock.at_s - REPLAY_START_S, json.loads(message.payload)["heart_rate"]))

        replayed.daemon.publish_through(publish)
        replayed.daemon.home_connected(0.0)
        replayed.rehearsal.run(replayed.until_s)
    return rates


def heard_from(place: tuple[str, int], recording: Recording, folder: Path) -> Rates:
    """Every heart rate that a subscriber of the broker hears, at the rehearsed time at which it comes."""
    rates: Rates = []
    ended = threading.Event()
    clocks: list[RehearsalClock] = []

    def hear(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == VITALS and not message.retain:
            rates.append((clocks[0].at_s - REPLAY_START_S, json.loads(message.payload)["heart_rate"]))
        elif message.payload == OFFLINE and not message.retain:
            ended.set()  # the farewell: nothing of this recording is still on its way

    with _listening(place, hear):
        with open_replay(Config(), recording, folder, speed=BROKER_SPEED, broker=place) as replayed:
            clocks.append(replayed.clock)
            replayed.rehearsal.run(replayed.until_s)
        if not ended.wait(10.0):
            raise TimeoutError(f"{recording.name}: no farewell came from the broker")
    return rates


Hear = Callable[[paho.Client, object, paho.MQTTMessage], None]


@contextmanager
def _listening(place: tuple[str, int], hear: Hear) -> Iterator[None]:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    ready = threading.Event()
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = hear
    client.connect(*place)
    client.subscribe([(VITALS, 0), (STATUS, 0)])
    client.loop_start()
    try:
        if not ready.wait(10.0):
            raise TimeoutError("the broker takes no subscription")
        yield
    finally:
        client.disconnect()
        client.loop_stop()


def tell(group: str, all_heard: list[Heard]) -> None:
    errors_bpm = [error for heard in all_heard for error in heard.errors_bpm]
    answered = [heard for heard in all_heard if heard.errors_bpm]
    if not errors_bpm:
        print(f"{group:16s} {len(all_heard):3d} recordings, no heart rate told")
        return
    worst = max(answered, key=lambda heard: median(heard.errors_bpm))
    share = sum(heard.told_share * heard.seconds for heard in all_heard) / sum(heard.seconds for heard in all_heard)
    print(
        f"{group:16s} {len(all_heard):3d} recordings, {len(errors_bpm):4d} heart rates: median error "
        f"{median(errors_bpm):.2f} bpm, mean {fmean(errors_bpm):.2f}, "
        f"within 5 bpm {fmean(error < 5 for error in errors_bpm):.3f}, "
        f"worst recording {median(worst.errors_bpm):.2f} ({worst.name}), told {share:.3f} of the time"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("SOMNISPHERE_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--folder", type=Path, default=data / "ppg")
    parser.add_argument("--broker", action="store_true", help="through a mosquitto of its own")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    paths = [
        path
        for path in sorted(arguments.folder.glob("*/*.npz"))
        if not arguments.names or any(name in path.stem for name in arguments.names)
    ]
    if not paths:
        print(f"{arguments.folder}: no such recordings there", file=sys.stderr)
        return 2
    groups: dict[str, list[Heard]] = defaultdict(list)
    with ExitStack() as stack:
        place = None
        if arguments.broker:
            sys.path.insert(0, str(ROOT))
            from tests.brokers import mosquitto

            place = stack.enter_context(mosquitto())
        print(f"{'recording':28s} {'minutes':>7s} {'rates':>5s} {'error bpm':>9s} {'worst':>6s} {'told':>5s}")
        for path in paths:
            recording = read_recording(path)
            if not has_reference(recording):
                print(f"{path.stem:28s} no reference")
                continue
            with tempfile.TemporaryDirectory() as folder:
                rates = (
                    published(recording, Path(folder)) if place is None else heard_from(place, recording, Path(folder))
                )
            heard = compare(recording, rates)
            groups[path.parent.name].append(heard)
            errors = heard.errors_bpm
            figures = f"{median(errors):9.2f} {max(errors):6.1f}" if errors else f"{'-':>9s} {'-':>6s}"
            print(f"{path.stem:28s} {heard.seconds / 60:7.1f} {len(errors):5d} {figures} {heard.told_share:5.2f}")
    print()
    for group, all_heard in groups.items():
        tell(group, all_heard)
    tell("at rest", [heard for group, some in groups.items() if group != "troika" for heard in some])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
