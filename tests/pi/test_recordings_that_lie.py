"""Recordings that say of themselves what is not so: refused with a sentence, before memory or time is gone."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from somnisphere.columns import RecordingError
from somnisphere.recordings import read_night, read_recording


def test_an_array_that_claims_to_be_larger_than_any_memory(tmp_path: Path) -> None:
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("ir.npy", array.getvalue())
    with pytest.raises(RecordingError, match=r"shape \(1000000000000,\)"):
        read_recording(tmp_path / "a.npz")


def test_a_small_file_that_unpacks_to_one_endless_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"time_s,ir\n" + b"1" * 5_000_000))
    with pytest.raises(RecordingError, match="line 2 is endless"):
        read_recording(tmp_path / "a.csv.gz")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"somnisphere_recording": 1}\n' + b" " * 5_000_000))
    with pytest.raises(RecordingError, match="a line without end"):
        read_recording(tmp_path / "a.jsonl.gz")


def test_a_damaged_gzip_is_said_to_be_one(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"time_s,ir\n" + b"0,1\n" * 2000))
    packed[20:30] = b"\xff" * 10
    (tmp_path / "a.csv.gz").write_bytes(bytes(packed))
    with pytest.raises(RecordingError, match="cannot be read as CSV text"):
        read_recording(tmp_path / "a.csv.gz")


def test_times_since_1970_are_no_times_of_a_night(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time_s,heart_bpm\n1790000000,60\n1790000030,61\n")
    with pytest.raises(RecordingError, match=r"goes on for 497222 hours.*from the night's start"):
        read_night(tmp_path / "a.csv")


def test_samples_of_two_different_weeks_are_not_one_recording(tmp_path: Path) -> None:
    block = {"rate_hz": 50.0, "led_red_ma": 5.0, "led_ir_ma": 5.0, "gap": False, "red": [1] * 25, "ir": [1] * 25}
    lines = [{"somnisphere_recording": 1}, *({"pulse": block | {"start_s": at_s}} for at_s in (0.0, 1e9))]
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    with pytest.raises(RecordingError, match="hours apart"):
        read_recording(tmp_path / "a.jsonl.gz")


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (5, "pulse, motion and part"),
        ({"pulse": [1]}, "holds no values"),
        ({"pulse": {"red": [2**31], "ir": [1]}}, "whole numbers from 0 to"),
        ({"pulse": {"red": [1], "ir": [1], "start_s": "x"}}, "start_s is not a number"),
        ({"pulse": {"red": [1], "ir": [1], "start_s": 0, "rate_hz": 0}}, "rate_hz"),
        ({"motion": {"mg": [[1, 2]], "start_s": 0, "rate_hz": 25}}, "three values"),
        ({"motion": {"mg": [[1, 2, 1e300]], "start_s": 0, "rate_hz": 25}}, "three values"),
        ({"part": {"part": "nose", "at_s": 0}}, "pulse or motion"),
    ],
)
def test_a_line_that_is_no_sample_is_named(tmp_path: Path, sample: object, says: str) -> None:
    lines = json.dumps({"somnisphere_recording": 1}) + "\n" + json.dumps(sample) + "\n"
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    with pytest.raises(RecordingError, match=rf"line 2 is not a sample \(.*{says}"):
        read_recording(tmp_path / "a.jsonl.gz")
