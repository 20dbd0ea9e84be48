"""Real recordings through chip registers, driver and pipeline to a real mosquitto: the heart rate that arrives."""

import json
import os
import time
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from tests.brokers import mosquitto

from somnisphere.config import Config
from somnisphere.recordings import read_recording
from somnisphere.simulation import REPLAY_START_S, open_replay

DATA = Path(os.environ.get("SOMNISPHERE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "ppg"


@pytest.mark.broker
@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["bidmc/bidmc01.npz", "uwcam/uwcam_100002_left.npz", "neurokit/neurokit_resting5min.npz"]
)
def test_the_heart_rate_on_the_broker_is_the_references(name: str, tmp_path: Path) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not here; SOMNISPHERE_DATA names the folder of public recordings")
    recording = read_recording(DATA / name)
    reference = recording.reference
    if "ref_hr_bpm" in reference:
        at_s, bpm = np.asarray(reference["ref_t_s"]), np.asarray(reference["ref_hr_bpm"])
    else:
        beats_s = np.asarray(reference["beat_times_s"])
        at_s, bpm = beats_s[1:], 60.0 / np.diff(beats_s)
    heard: list[tuple[float, float]] = []
    with mosquitto() as place, open_replay(Config(), recording, tmp_path, speed=300.0, broker=place) as replayed:
        client = paho.Client(CallbackAPIVersion.VERSION2)

        def hear(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            rate = json.loads(message.payload)["heart_rate"]
            if rate is not None:
                heard.append((replayed.clock.at_s - REPLAY_START_S, rate))

        client.on_message = hear
        client.connect(*place)
        client.subscribe("somnisphere/bedside/vitals")
        client.loop_start()
        replayed.rehearsal.run(replayed.until_s)
        give_up_s = time.monotonic() + 5.0
        while not heard and time.monotonic() < give_up_s:
            replayed.rehearsal.run(replayed.clock.at_s + 1.0)
        client.disconnect()
        client.loop_stop()
    errors = []
    for heard_s, rate in heard:
        window = (at_s >= heard_s - 40.0) & (at_s <= heard_s - 5.0) & np.isfinite(bpm)
        if heard_s > 45.0 and window.any():
            errors.append(abs(rate - float(bpm[window].mean())))
    assert len(errors) >= 5
    assert median(errors) < 2.0
