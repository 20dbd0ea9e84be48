"""Recordings and nights on disk: .npz, .csv, .csv.gz and .jsonl.gz of any bytes are read, or are a ``UserError``."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from tests.fuzz.dough import Dough
from tests.fuzz.room import room
from tests.fuzz.target import Target, sentence

from somnisphere.calibration import fit_line, read_readings
from somnisphere.cli_files import epochs_of, live, overnight, stage_rows
from somnisphere.columns import RecordingError
from somnisphere.errors import UserError
from somnisphere.recorder import RecordingWriter
from somnisphere.recordings import beats_of, read_night, read_recording
from somnisphere_hardware.samples import PartState

_KEYS = ("fs_hz", "ir", "red", "ppg", "green", "accel", "accel_unit", "polarity", "name", "stage", "score", "dataset")
_NIGHT_KEYS = ("hr_time_s", "hr_bpm", "rr_time_s", "rr_s", "rr_normal", "motion_time_s", "motion_count", "beat_times_s")
_COLUMNS = ("time_s", "ir", "ppg", "red", "ax", "ay", "az", "heart_bpm", "rr_s", "motion_count", "stage", "ratio")
_DTYPES = ("<f8", "<i4", "<i2", "?", "<f4", "<U3", "S3", "<u8", "<c16", "<M8[s]", ">f8", "<i8")
_LONGEST_ROWS = 400


def one(data: bytes) -> None:
    dough = Dough(data)
    name, content = _WAYS[dough.number(len(_WAYS) - 1)](dough)
    with room() as folder:
        path = folder / name
        path.write_bytes(content)
        for read in (_recording, _night, _epochs, _readings):
            try:
                read(path)
            except UserError as problem:
                sentence(problem)
        assert path.read_bytes() == content
        if name.endswith(".jsonl.gz"):
            _go_on(path)
        assert [entry.name for entry in folder.iterdir()] == [name]


def _recording(path: Path) -> None:
    found = read_recording(path)
    assert len(found.ir) < 60_000_000
    for beat in islice(beats_of(found), 2000):
        assert beat.ibi_s is None or beat.ibi_s > 0


def _night(path: Path) -> None:
    found = read_night(path)
    assert len(found.epochs) == len(found.reference) == len(found.score)


def _epochs(path: Path) -> None:
    """What ``somnisphere stage`` does."""
    epochs, reference = epochs_of(path)
    epochs = epochs[:60]
    for row in [*stage_rows(live(epochs), reference), *stage_rows(overnight(epochs), reference)]:
        json.dumps(row)


def _readings(path: Path) -> None:
    fit_line(read_readings(path))


def _go_on(path: Path) -> None:
    """A recorder that goes on in a file that is there."""
    try:
        with RecordingWriter(path) as writer:
            writer.add(PartState("pulse", 1.0, True, "max30102", ""))
    except RecordingError as problem:
        sentence(problem)


def _npz_bytes(dough: Dough) -> tuple[str, bytes]:
    return "a.npz", dough.rest()


def _npz(dough: Dough) -> tuple[str, bytes]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for key in dict.fromkeys(dough.choice((*_KEYS, *_NIGHT_KEYS)) for _ in range(1 + dough.number(6))):
            archive.writestr(f"{key}.npy", _array(dough))
    return "a.npz", out.getvalue()


def _array(dough: Dough) -> bytes:
    """A .npy, mostly an honest one."""
    kind = dough.choice(_DTYPES) if dough.byte() % 4 == 1 else "<f8"
    match dough.number(3):
        case 0:
            values = np.array([dough.float_() for _ in range(dough.number(24))])
        case 1:
            values = dough.float_() + np.arange(dough.number(2000)) * (1 + dough.byte()) / 16
        case 2:
            values = np.sin(np.arange(dough.number(3000)) / (1 + dough.byte())) * dough.byte()
        case _:
            values = np.array(dough.float_())
    if dough.byte() % 8 == 1 and values.ndim == 1:
        values = values[: len(values) // 3 * 3].reshape(-1, 3)
    out = io.BytesIO()
    with np.errstate(all="ignore"):
        np.save(out, values.astype(kind if kind not in ("<M8[s]",) or np.isfinite(values).all() else "<f8"))
    if dough.byte() % 8 != 1:
        return out.getvalue()
    header = out.getvalue()
    return header.replace(b"'shape': (", b"'shape': (" + dough.blob(12), 1)


def _csv(dough: Dough) -> tuple[str, bytes]:
    name = dough.choice(("a.csv", "a.csv.gz"))
    content = dough.rest()
    return name, gzip.compress(content, 1) if name.endswith("gz") else content


def _csv_gz_bytes(dough: Dough) -> tuple[str, bytes]:
    return "a.csv.gz", dough.rest()


def _csv_grown(dough: Dough) -> tuple[str, bytes]:
    """Rows in time, with something odd here and there."""
    columns = list(dict.fromkeys(["time_s", *(dough.choice(_COLUMNS) for _ in range(dough.number(5)))]))
    step_s, at_s = (1 + dough.byte()) / dough.choice((1.0, 50.0, 1000.0, 1e6)), dough.float_()
    rows = [",".join(columns)]
    for _ in range(dough.number(_LONGEST_ROWS)):
        at_s += step_s if dough.byte() % 32 else dough.float_()
        cells = (
            str(dough.byte()) if dough.byte() % 16 else dough.choice(("", "nan", "-inf", "1e308")) for _ in columns
        )
        rows.append(",".join([repr(at_s), *islice(cells, 1, None)]))
    return "a.csv", "\n".join(rows).encode()


def _own_bytes(dough: Dough) -> tuple[str, bytes]:
    return "a.jsonl.gz", dough.rest()


def _own_lines(dough: Dough) -> tuple[str, bytes]:
    return "a.jsonl.gz", gzip.compress(b'{"somnisphere_recording": 1}\n' + dough.rest(), 1)


def _own(dough: Dough) -> tuple[str, bytes]:
    """Samples, each with something else wrong."""
    lines: list[object] = [{"somnisphere_recording": 1}]
    for number in range(dough.number(40)):
        good = _SAMPLES[dough.number(2)]
        ((kind, said),) = good.items()
        said = said | {"start_s": number * 0.5} if kind != "part" else said
        lines.append({kind: said} if dough.byte() % 4 else dough.altered({kind: said}, _SAMPLE_KEYS))
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return "a.jsonl.gz", gzip.compress(text, 1)


_SAMPLES: tuple[dict[str, dict[str, object]], ...] = (
    {
        "pulse": {
            "start_s": 0.0,
            "rate_hz": 50.0,
            "led_red_ma": 5.0,
            "led_ir_ma": 5.0,
            "gap": False,
            "red": [90_000 + k for k in range(25)],
            "ir": [100_000 + 7 * k for k in range(25)],
        }
    },
    {"motion": {"start_s": 0.0, "rate_hz": 25.0, "gap": False, "mg": [[0.0, 1.0, 1000.0]] * 12}},
    {"part": {"part": "pulse", "at_s": 0.0, "ok": True, "chip": "max30102", "problem": ""}},
)
_SAMPLE_KEYS = ("pulse", "motion", "part", "start_s", "rate_hz", "red", "ir", "mg", "gap", "led_ir_ma", "at_s", "ok")

_WAYS: tuple[Callable[[Dough], tuple[str, bytes]], ...] = (
    *(_npz_bytes, _npz, _csv, _csv_gz_bytes, _csv_grown, _own_bytes, _own_lines, _own),
)


def seeds() -> Iterator[bytes]:
    out = io.BytesIO()
    times = np.arange(0.0, 600.0, 5.0)
    np.savez(
        out, hr_time_s=times, hr_bpm=60 + 0 * times, motion_time_s=times, motion_count=0 * times, stage=np.arange(20)
    )
    yield b"\0" + out.getvalue()
    yield b"\x02\0time_s,ir,red,ax,ay,az\n0,5,5,0,0,1\n0.02,6,5,0,0,1\n0.04,7,5,,,\n"
    yield b"\x02\x01time_s,heart_bpm,motion_count,stage\n0,60,0,0\n30,61,,2\n60,,4,5\n"
    yield b"\x02\0ratio,oximeter_pct\n0.5,97\n0.6,96\n0.9,90\n"
    yield b"\x03" + gzip.compress(b"time_s,ppg\n0,1\n0.02,2\n", 9)
    lines = "".join(json.dumps(sample) + "\n" for sample in _SAMPLES).encode()
    yield b"\x05" + gzip.compress(b'{"somnisphere_recording": 1}\n' + lines)
    yield b"\x06" + lines
    yield bytes([1, 3, 0, 1, 12, 13, 5, 0, 1, 20, 1, 2, 3])
    yield bytes([4, 3, 1, 2, 3, 9, 0, 0, 1, 30]) + bytes(range(1, 200))
    yield bytes([7, 20]) + bytes(range(1, 120))


TARGET = Target(one, seeds, words=(*_KEYS, *_NIGHT_KEYS, *_COLUMNS, "1e308", "nan", "'descr': '|O'", *_SAMPLE_KEYS))
