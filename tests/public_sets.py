"""Tiny files in the forms in which public sets of scored nights come, for the tests of their readers."""

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np


def shaken(time_s: np.ndarray, from_s: float, to_s: float, peak_g: float = 0.5) -> np.ndarray:
    """Gravity along x, and along y a shake of 6 Hz between two times; (n, 3) in g."""
    shake = peak_g * np.sin(2 * np.pi * 6.0 * time_s) * ((time_s >= from_s) & (time_s < to_s))
    return np.stack([np.ones_like(time_s), shake, np.zeros_like(time_s)], axis=1)


def write_sleep_accel(root: Path, subject: str, *, stages: Sequence[int] = (0, 1, 2, 3, 4, 5, -1)) -> None:
    seconds = 30 * len(stages)
    for name in ("heart_rate", "motion", "labels"):
        (root / name).mkdir(parents=True, exist_ok=True)
    hearts = [f"{t:.5f},{60 + t // 30:.0f}" for t in range(-20, seconds, 5)]
    (root / "heart_rate" / f"{subject}_heartrate.txt").write_text(
        "\n".join(hearts[::-1] * 2) + "\n"
    )  # as some files are
    time_s = np.arange(-5.0, seconds, 0.02)
    rows = np.column_stack([time_s, shaken(time_s, 30.0, 45.0)])
    np.savetxt(root / "motion" / f"{subject}_acceleration.txt", rows, fmt="%.6f")
    labels = "".join(f"{30 * k} {stage}\n" for k, stage in enumerate(stages))
    (root / "labels" / f"{subject}_labeled_sleep.txt").write_text(labels)


def annotation_bytes(annotations: Iterable[tuple[int, int, str]]) -> bytes:
    """(sample, code, text) in MIT format: 6 bits of code, 10 of distance; SKIP: far ones; AUX: text; 0 ends it."""
    data, before = b"", 0
    for sample, code, text in annotations:
        distance = sample - before
        before = sample
        if not 0 <= distance < 1024:
            high, low = (distance >> 16) & 0xFFFF, distance & 0xFFFF
            data += struct.pack("<HHH", 59 << 10, high, low)
            distance = 0
        data += struct.pack("<H", code << 10 | distance)
        if text:
            coded = text.encode() + b"\0"
            data += struct.pack("<H", 63 << 10 | len(coded)) + coded + b"\0" * (len(coded) % 2)
    return data + b"\0\0"


def write_slpdb(root: Path, record: str, *, texts: Sequence[str] = ("W", "1", "2 HA", "3", "4 LA", "R", "MT")) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{record}.hea").write_text(
        f"# made up\n{record} 4 250 1800000 23:07:00\n{record}.dat 212 200 12 0 0 0 0 ECG\n"
    )
    stages = [(1 if k == 0 else 7500 * k - 3, 22, text) for k, text in enumerate(texts)]
    (root / f"{record}.st").write_bytes(annotation_bytes(stages))
    beats = [(250 * k, 1, "") for k in range(1, 30 * len(texts))]  # 60 a minute
    beats[39] = (250 * 40 - 100, 5, "")  # a premature ventricular beat between normal ones, at about 40 s
    beats.insert(45, (beats[44][0] + 20, 14, ""))  # noise is no beat
    (root / f"{record}.ecg").write_bytes(annotation_bytes(beats))


DREAMT_HEADER = "TIMESTAMP,BVP,ACC_X,ACC_Y,ACC_Z,TEMP,EDA,HR,IBI,Sleep_Stage,Hypopnea"


def dreamt_rows(rate_hz: int, stages: Sequence[str], preparation_s: float = 10.0) -> list[str]:
    """Acceleration held from 32 Hz and heart rate held from 1 Hz, as the authors write them."""
    time_s = np.arange(0, round((preparation_s + 30 * len(stages)) * rate_hz)) / rate_hz
    accel = np.rint(64 * shaken(np.floor(time_s * 32 + 1e-9) / 32, preparation_s + 30, preparation_s + 45)).astype(int)
    rows = []
    for at_s, (x, y, z) in zip(time_s.tolist(), accel.tolist(), strict=True):
        epoch = int((at_s - preparation_s + 1e-9) // 30)
        stage = stages[epoch] if at_s >= preparation_s - 1e-9 else "P"
        rows.append(f"{at_s},12.5,{x},{y},{z},33.1,0.2,{70 + max(epoch, 0)},0.85,{stage},")
    return rows


def write_dreamt(folder: Path, sid: str, rows: list[str], ending: str = "_whole_df.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sid}{ending}"
    path.write_text("\n".join([DREAMT_HEADER, *rows]) + "\n")
    return path


MESA_EVENTS = (("Wake|0", 0, 60), ("Stage 1 sleep|1", 60, 30), ("Stage 3 sleep|3", 90, 30), ("REM sleep|5", 120, 30))


def write_mesa(root: Path, number: int, *, profusion: bool = False, actigraphy: bool = True) -> str:
    night = f"mesa-sleep-{number:04d}"
    laboratory = root / "polysomnography"
    for name in ("annotations-rpoints", "annotations-events-nsrr", "annotations-events-profusion"):
        (laboratory / name).mkdir(parents=True, exist_ok=True)
    beats = [f"{1 + int(s // 30)},{int(256 * s)},{2 if s == 75.0 else 1},{s},0" for s in np.arange(0.75, 180, 0.75)]
    rpoints = laboratory / "annotations-rpoints" / f"{night}-rpoint.csv"
    rpoints.write_text("\n".join(["epoch,RPoint,Type,seconds,stage", *beats]) + "\n")
    if profusion:
        each = "".join(f"<SleepStage>{code}</SleepStage>" for code in (0, 0, 2, 4, 5, 9))
        xml = f"<CMPStudyConfig><EpochLength>30</EpochLength><SleepStages>{each}</SleepStages></CMPStudyConfig>"
        (laboratory / "annotations-events-profusion" / f"{night}-profusion.xml").write_text(xml)
    else:
        events = "".join(
            f"<ScoredEvent><EventType>Stages|Stages</EventType><EventConcept>{concept}</EventConcept>"
            f"<Start>{start}.0</Start><Duration>{length}.0</Duration></ScoredEvent>"
            for concept, start, length in (*MESA_EVENTS, ("Unscored|9", 150, 30))
        )
        other = (
            "<ScoredEvent><EventType>Respiratory|Respiratory</EventType><EventConcept>Hypopnea|Hypopnea</EventConcept>"
        )
        events = f"{other}<Start>12</Start></ScoredEvent>{events}"
        xml = f"<PSGAnnotation><ScoredEvents>{events}</ScoredEvents></PSGAnnotation>"
        (laboratory / "annotations-events-nsrr" / f"{night}-nsrr.xml").write_text(xml)
    if actigraphy:
        (root / "actigraphy").mkdir(exist_ok=True)
        (root / "overlap").mkdir(exist_ok=True)
        lines = [
            f"{number},{line},22:00:00,{int(line == 103)},{'' if line == 104 else line},ACTIVE"
            for line in range(1, 200)
        ]
        header = "mesaid,line,linetime,offwrist,activity,interval"
        (root / "actigraphy" / f"{night}.csv").write_text("\n".join([header, *lines]) + "\n")
        overlap = root / "overlap" / "mesa-actigraphy-psg-overlap.csv"
        overlap.write_text(
            f"mesaid,line,linetime,starttime_psg\n9999,7,20:00:00,20:00:00\n{number},101,22:00:00,22:00:04\n"
        )
    return night


def write_own(root: Path, name: str, subject: str, *, scored: bool = True, counts: bool = True) -> None:
    folder = root / "sleep" / "train" / name
    folder.mkdir(parents=True, exist_ok=True)
    motion_s = np.arange(0.0, 300.0, 15.0) if counts else np.zeros(0)
    np.savez(
        folder / f"{subject}.npz",
        dataset=name,
        subject=subject,
        hr_time_s=np.arange(0.0, 300.0, 5.0),
        hr_bpm=np.full(60, 61.0),
        motion_time_s=motion_s,
        motion_count=np.zeros(len(motion_s)),
        stage=np.array([0, 1, 2, 3, 5] * 2 if scored else [-1] * 10),
    )
