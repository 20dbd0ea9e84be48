import csv
import gzip
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pulse_waves import beat_times, light, lying_still, motion_blocks, pulse_blocks

from somnisphere.columns import RecordingError
from somnisphere.night import Stage
from somnisphere.recorder import read_samples
from somnisphere.recordings import RecordingWriter, beats_of, blocks_of, read_night, read_recording
from somnisphere_hardware.samples import MotionBlock, PartState, PulseBlock, Sample

IR = light(beat_times(40, 66.0), 40, 50.0, noise=10)


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


# ---- pulses ---------------------------------------------------------------------------------------------------------


def test_npz_of_counts_is_given_as_the_sensor_said_it(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", fs_hz=50.0, polarity=-1, ir=IR, red=IR * 0.7, beat_times_s=beat_times(40, 66.0))
    recording = read_recording(path)
    assert recording.is_counts
    assert list(recording.reference) == ["beat_times_s"]
    blocks = [block for block in blocks_of(recording) if isinstance(block, PulseBlock)]
    assert np.array_equal(np.concatenate([block.ir for block in blocks]), np.round(IR))
    assert blocks[0].led_red_ma > 0
    assert len(list(beats_of(recording))) == pytest.approx(len(beat_times(40, 66.0)), abs=1)


def test_a_wave_of_any_unit_and_either_way_up_gives_the_same_beats(tmp_path: Path) -> None:
    down = read_recording(save(tmp_path / "down.npz", fs_hz=50.0, ppg=IR))
    up = read_recording(save(tmp_path / "up.npz", fs_hz=50.0, ppg=1.0 - IR / 1e6))
    assert (down.polarity, up.polarity) == (-1, 1)
    times = [[beat.at_s for beat in beats_of(recording)] for recording in (down, up)]
    assert times[0] == pytest.approx(times[1], abs=1e-3)
    assert all(block.led_red_ma == 0.0 for block in blocks_of(up) if isinstance(block, PulseBlock))


def test_missing_values_are_gaps(tmp_path: Path) -> None:
    holed = IR.copy()
    holed[1000:1060] = np.nan
    recording = read_recording(save(tmp_path / "a.npz", fs_hz=50.0, polarity=-1, ir=holed))
    blocks = [block for block in blocks_of(recording) if isinstance(block, PulseBlock)]
    assert [block.start_s for block in blocks if block.gap_before] == [pytest.approx(1060 / 50.0)]
    assert sum(len(block.ir) for block in blocks) == len(IR) - 60


def test_motion_lies_between_the_pulse_blocks_in_g(tmp_path: Path) -> None:
    accel = lying_still(40, 50.0) * 9.80665
    path = save(tmp_path / "a.npz", fs_hz=50.0, polarity=-1, ir=IR, accel=accel, accel_unit="m/s^2")
    blocks = list(blocks_of(read_recording(path)))
    assert [block.start_s for block in blocks] == sorted(block.start_s for block in blocks)
    moves = [block for block in blocks if isinstance(block, MotionBlock)]
    assert np.concatenate([block.accel_g for block in moves])[:, 2].mean() == pytest.approx(1.0, abs=0.01)


def test_csv_with_a_gap_and_motion(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time_s", "ir", "red", "ax", "ay", "az"])
        for k, counts in enumerate(IR):
            if not 500 <= k < 550:
                rows.writerow([round(5 + k / 50, 3), round(counts), round(counts * 0.8), 0, 0, 1])
    recording = read_recording(path)
    assert recording.rate_hz == pytest.approx(50.0, rel=1e-3)
    assert recording.start_s == 5.0
    assert int(np.isnan(recording.ir).sum()) == 50
    assert recording.accel_g is not None
    beats = list(beats_of(recording))
    assert next(beat for beat in beats if beat.at_s > 15.95).ibi_s is None


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.npz", b"not an archive", "not a readable .npz"),
        ("a.npz", b"", "not a readable .npz"),
        ("a.csv", b"", "'time_s' is missing"),
        ("a.csv", b"time_s,red\n0,1\n", "neither a column 'ir' nor 'ppg'"),
        ("a.csv", b"time_s,ir\n0,1\n0.02,abc\n", "line 3, column 'ir': 'abc' is not a number"),
        ("a.csv", b"time_s,ir\n0,1\n", "does not grow"),
        ("a.csv", b"time_s,ir\n1,1\n0,1\n", "does not grow"),
        ("a.csv", b"time_s,ir\n\xff\xfe\n", "cannot be read as CSV"),
        ("a.csv", b"time_s,ir\n0,1\n60,2\n120,2\n", "rate is 0.0166"),
        ("a.csv.gz", b"plain", "cannot be read as CSV"),
        ("a.jsonl.gz", b"plain", "empty or not a gzip file"),
        ("a.wav", b"RIFF", "kind is not known"),
    ],
)
def test_broken_files_name_themselves_what_is_wrong_and_the_mend(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=says) as caught:
        read_recording(path)
    assert str(path) in str(caught.value)
    assert caught.value.mend.endswith(".")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"ppg": IR}, "does not say its rate"),
        ({"fs_hz": 0.5, "ppg": IR}, "rate is 0.5 Hz"),
        ({"fs_hz": 50.0, "other": IR}, "no 'ir', 'ppg' or 'green'"),
        ({"fs_hz": 50.0, "ppg": np.zeros((3, 3))}, "shape"),
        ({"fs_hz": 50.0, "ppg": np.zeros(0)}, "shape"),
        ({"fs_hz": 50.0, "ppg": np.array(["a", "b"])}, "type"),
        ({"fs_hz": 50.0, "ir": IR, "red": IR[:-1]}, "'red' has 1999"),
        ({"fs_hz": 50.0, "ppg": IR, "polarity": 3}, "'polarity' is 3"),
        ({"fs_hz": 50.0, "ppg": IR, "accel": IR}, "three columns"),
    ],
)
def test_npz_that_makes_no_sense_is_refused(tmp_path: Path, arrays: dict[str, Any], says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        read_recording(save(tmp_path / "a.npz", **arrays))


def test_a_pickle_in_an_npz_is_not_run(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", fs_hz=50.0, ppg=np.array([{"a": 1}], dtype=object))
    with pytest.raises(RecordingError, match="not a readable"):
        read_recording(path)


@pytest.mark.parametrize("name", ["no.npz", "no.csv", "no.jsonl.gz"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match=r"no such file|No such file"):
        read_recording(tmp_path / name)


def test_noise_flat_and_short_recordings_are_answered(tmp_path: Path) -> None:
    for wave in (np.zeros(500), np.ones(1), np.full(300, np.nan), np.random.default_rng(1).normal(size=3000)):
        beats = list(beats_of(read_recording(save(tmp_path / "a.npz", fs_hz=50.0, ppg=wave))))
        assert all(beat.ibi_s is None for beat in beats)


# ---- the project's own recording ------------------------------------------------------------------------------------


def some_samples(seconds: float) -> list[Sample]:
    ir = light(beat_times(seconds), seconds, 50.0)
    pulses: list[Sample] = list(pulse_blocks(ir, 50.0, red=ir * 0.8))
    return [
        PartState("pulse", 0.0, ok=True, chip="MAX30102"),
        *pulses,
        *motion_blocks(lying_still(2, 25.0), 25.0, start_s=seconds),
    ]


def same(a: Sample, b: Sample) -> bool:
    if isinstance(a, PulseBlock) and isinstance(b, PulseBlock):
        return (
            np.array_equal(a.ir, b.ir)
            and np.array_equal(a.red, b.red)
            and (a.start_s, a.rate_hz, a.led_ir_ma, a.gap_before) == (b.start_s, b.rate_hz, b.led_ir_ma, b.gap_before)
        )
    if isinstance(a, MotionBlock) and isinstance(b, MotionBlock):
        return bool(np.allclose(a.accel_g, b.accel_g, atol=1e-4)) and a.start_s == b.start_s
    return a == b


def test_what_was_recorded_comes_back(tmp_path: Path) -> None:
    path, samples = tmp_path / "night.jsonl.gz", some_samples(40)
    with RecordingWriter(path) as writer:
        for sample in samples:
            writer.add(sample)
    back = list(read_samples(path))
    assert len(back) == len(samples)
    assert all(same(a, b) for a, b in zip(samples, back, strict=True))
    recording = read_recording(path)
    assert recording.seconds == pytest.approx(40.0)
    assert len(list(blocks_of(recording))) == len(samples) - 1
    assert len(list(beats_of(recording))) > 35


def test_a_killed_recorder_loses_its_last_seconds_and_can_go_on(tmp_path: Path) -> None:
    path, samples = tmp_path / "night.jsonl.gz", some_samples(60)
    with RecordingWriter(path) as writer:
        for sample in samples:
            writer.add(sample)
    whole = path.read_bytes()
    for lost in (12, 50, 300):
        path.write_bytes(whole[:-lost])
        kept = list(read_samples(path))
        assert len(samples) - 2 * 22 < len(kept) < len(samples)
        assert all(same(a, b) for a, b in zip(samples, kept, strict=False))
    with RecordingWriter(path) as writer:
        writer.add(samples[5])
    assert same(list(read_samples(path))[-1], samples[5])


def test_everything_older_than_ten_seconds_is_on_disk_without_closing(tmp_path: Path) -> None:
    path = tmp_path / "night.jsonl.gz"
    writer = RecordingWriter(path)
    try:
        for sample in some_samples(60)[:-3]:
            writer.add(sample)
        last = [sample for sample in read_samples(path) if isinstance(sample, PulseBlock)][-1]
        assert last.end_s >= 49.0
        assert writer.seconds >= 40.0
    finally:
        writer.close()


def test_a_foreign_file_is_neither_read_nor_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "diary.jsonl.gz"
    path.write_bytes(b"dear diary")
    with pytest.raises(RecordingError, match="no recording"):
        RecordingWriter(path)
    assert path.read_bytes() == b"dear diary"
    path.write_bytes(gzip.compress(b'{"somnisphere_recording": 99}\n'))
    with pytest.raises(RecordingError, match="version 99"):
        read_recording(path)
    path.write_bytes(gzip.compress(b'{"somnisphere_recording": 1}\n{"pulse": {}}\n'))
    with pytest.raises(RecordingError, match="line 2 is not a sample"):
        read_recording(path)


# ---- nights ---------------------------------------------------------------------------------------------------------


def test_a_watch_night_becomes_epochs(tmp_path: Path) -> None:
    hr_time_s = np.concatenate((np.arange(2.0, 60.0, 5.0), np.arange(90.0, 120.0, 5.0)))
    path = save(
        tmp_path / "a.npz",
        dataset="walch",
        subject="7",
        stage=np.array([0, 2, -1, 5], dtype=np.int8),
        score=np.array([True, True, False, True]),
        hr_time_s=hr_time_s,
        hr_bpm=np.where(hr_time_s < 60, 60.0, 70.0),
        motion_time_s=np.arange(6) * 15.0 + 0.01,
        motion_count=np.arange(6.0),
    )
    night = read_night(path)
    assert (night.dataset, night.subject) == ("walch", "7")
    assert night.reference == (Stage.AWAKE, Stage.LIGHT, None, Stage.REM)
    assert night.score == (True, True, False, True)
    assert [epoch.heart_bpm for epoch in night.epochs] == [60.0, 60.0, 70.0, 70.0]
    assert night.epochs[2].heart_series_bpm == (60.0, None, None, None, None, 70.0)
    assert [epoch.motion_counts for epoch in night.epochs] == [(0.0, 1.0), (2.0, 3.0), (4.0, 5.0), (None, None)]


def test_intervals_give_sixty_over_their_mean(tmp_path: Path) -> None:
    rr_s = np.where(np.arange(80) % 2, 0.8, 1.2)
    normal = np.ones(80, dtype=bool)
    rr_s[40], normal[40] = 0.3, False
    path = save(tmp_path / "a.npz", rr_time_s=np.cumsum(rr_s), rr_s=rr_s, rr_normal=normal, stage=np.array([3, 1]))
    night = read_night(path)
    assert night.epochs[0].heart_bpm == pytest.approx(60.0, abs=1.0)
    assert night.epochs[0].motion_counts == (None, None)
    assert night.reference == (Stage.DEEP, Stage.LIGHT)


def test_a_night_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("time_s,heart_bpm,motion_count,stage\n0,60,0,0\n15,,12,\n30,62,3,2\n45,64,,\n")
    night = read_night(path)
    assert [epoch.motion_counts for epoch in night.epochs] == [(0.0, 12.0), (3.0, None)]
    assert night.reference == (Stage.AWAKE, Stage.LIGHT)
    assert night.epochs[1].heart_bpm == pytest.approx(64.0)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"stage": np.zeros(3)}, "neither 'hr_time_s' nor 'rr_time_s'"),
        ({"hr_time_s": np.zeros(3), "hr_bpm": np.zeros(2)}, "one entry per reading|shape"),
    ],
)
def test_a_night_that_makes_no_sense(tmp_path: Path, arrays: dict[str, Any], says: str) -> None:
    with pytest.raises(RecordingError, match=says):
        read_night(save(tmp_path / "n.npz", **arrays))


# ---- the public recordings -----------------------------------------------------------------------------------------


def data(kind: str) -> Path:
    root = Path(os.environ.get("SOMNISPHERE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / kind
    if not root.is_dir():
        pytest.skip(f"the public recordings are not here ({root})")
    return root


@pytest.mark.data
def test_every_public_recording_is_read_and_heard() -> None:
    for path in sorted(data("ppg").glob("*/*.npz")):
        recording = read_recording(path)
        beats = list(beats_of(recording))
        assert len(beats) > 0.3 * recording.seconds * 0.5, path
        assert all(a.at_s < b.at_s for a, b in pairwise(beats)), path


@pytest.mark.data
def test_every_public_night_is_read() -> None:
    for path in sorted(data("sleep").glob("train/*/*.npz")):
        night = read_night(path)
        assert len(night.epochs) == len(night.reference) == len(night.score)
        assert any(epoch.heart_bpm is not None for epoch in night.epochs), path
