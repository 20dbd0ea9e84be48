"""Which sets of nights a folder holds, side by side and in several forms, and the command that is given the folder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.public_sets import dreamt_rows, write_dreamt, write_mesa, write_own, write_sleep_accel, write_slpdb

from somnisphere.errors import UserError
from somnisphere.training.__main__ import main
from somnisphere.training.readers.found import check_enough, find_sets, read_sets


def test_sets_are_found_beside_each_other_and_deep_down(tmp_path: Path) -> None:
    write_own(tmp_path, "slpdb", "slp04", counts=False)
    write_own(tmp_path, "walch", "46343")
    write_own(tmp_path, "another", "1")
    physionet = tmp_path / "physionet.org" / "files"
    write_sleep_accel(physionet / "sleep-accel" / "1.0.0", "759667")
    write_slpdb(physionet / "slpdb" / "1.0.0", "slp02a")
    write_dreamt(tmp_path / "dreamt" / "data_64Hz", "S002", dreamt_rows(64, ("W", "R")))
    write_mesa(tmp_path / "mesa", 1)
    (tmp_path / "ppg").mkdir()
    np.savez(tmp_path / "ppg" / "no_night.npz", fs_hz=50)
    said: list[str] = []
    read = read_sets(find_sets(tmp_path), said.append)
    found = [(night_set.name, [night.subject for night in nights]) for night_set, nights in read]
    assert found[:3] == [("walch", ["46343"]), ("slpdb", ["slp04"]), ("another", ["1"])]
    assert sorted(found[3:]) == [
        ("dreamt", ["S002"]),
        ("mesa", ["mesa-sleep-0001"]),
        ("slpdb", ["slp02a"]),
        ("walch", ["759667"]),
    ]
    assert len(said) == 7
    assert any(line.startswith("dreamt: 1 nights, participants' CSV, ") for line in said)


def test_the_train_folder_itself_may_be_given_but_others_are_not_looked_for(tmp_path: Path) -> None:
    write_own(tmp_path, "walch", "46343")
    assert [found.name for found in find_sets(tmp_path / "sleep" / "train")] == ["walch"]
    (tmp_path / "sleep" / "train").rename(tmp_path / "sleep" / "judging")
    with pytest.raises(UserError, match="no labelled nights are known in there"):
        find_sets(tmp_path)


def test_nobody_is_there_twice(tmp_path: Path) -> None:
    """The same person in two forms would be learned from while being judged."""
    write_own(tmp_path, "walch", "46343")
    for subject in ("46343", "759667"):
        write_sleep_accel(tmp_path / "raw", subject)
    assert [(found.name, found.nights) for found in find_sets(tmp_path)] == [
        ("walch", ("46343",)),
        ("walch", ("759667",)),
    ]


def test_fewer_nights_are_evenly_spread(tmp_path: Path) -> None:
    for number in range(9):
        write_own(tmp_path, "walch", f"{number}")
    assert find_sets(tmp_path, 3)[0].nights == ("0", "4", "8")
    assert find_sets(tmp_path, 1)[0].nights == ("0",)
    assert len(find_sets(tmp_path, 20)[0].nights) == 9


def test_nights_that_nobody_scored_are_said_and_left_out(tmp_path: Path) -> None:
    write_own(tmp_path, "walch", "1")
    write_own(tmp_path, "walch", "2", scored=False)
    said: list[str] = []
    ((_, nights),) = read_sets(find_sets(tmp_path), said.append)
    assert [night.subject for night in nights] == ["1"]
    assert said[-1] == "walch: 1 nights without a scored epoch left out"
    (tmp_path / "sleep" / "train" / "walch" / "1.npz").unlink()
    with pytest.raises(UserError, match="None of the nights found"):
        read_sets(find_sets(tmp_path), said.append)


def test_too_few_people_to_leave_one_out() -> None:
    check_enough(["a", "b", "b", "c", "d", "e"], 4)
    with pytest.raises(UserError, match="6 nights: without one person 4 are left"):
        check_enough(["a", "b", "b", "c", "d", "e"], 5)


# ---- the command ---------------------------------------------------------------------------------------------------


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["fit"], ["evaluate"]):
        with pytest.raises(SystemExit) as stopped:
            main([*arguments, "--data", str(tmp_path)])
        assert stopped.value.code == 2
        assert f"{tmp_path}: no labelled nights are known in there" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fit", "--data", str(tmp_path / "nowhere")])
    assert "there is no such folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fit", "--data", str(tmp_path), "--at-most", "0"])
    assert "'0' is not a whole number of nights" in capsys.readouterr().err


def test_one_command_learns_from_several_forms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is handed to the fit, without the minutes that fitting takes."""
    write_own(tmp_path, "walch", "46343")
    write_slpdb(tmp_path / "slpdb", "slp02a")
    write_mesa(tmp_path / "mesa", 1)
    handed: list[list[str]] = []

    def fitted(nights: list[str], *_: object) -> str:
        handed.append(nights)
        return "model"

    def saved(out: Path, models: dict[str, str]) -> None:
        out.write_text(" ".join(models))

    module = "somnisphere.training.__main__"
    monkeypatch.setattr(f"{module}.prepare", lambda night, *_: f"{night.dataset}/{night.subject}")
    monkeypatch.setattr(f"{module}.fit", fitted)
    monkeypatch.setattr(f"{module}.save_weights", saved)
    main(["fit", "--data", str(tmp_path), "--out", str(tmp_path / "weights.npz")])
    assert handed == [["walch/46343", "mesa/mesa-sleep-0001", "slpdb/slp02a"]] * 2
    said = capsys.readouterr()
    assert "weights.npz" in said.out
    assert [line.split(",")[0] for line in said.err.splitlines()] == [
        "walch: 1 nights",
        "mesa: 1 nights",
        "slpdb: 1 nights",
    ]


def test_figures_are_given_for_each_set_and_learned_from_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from somnisphere.training import evaluate

    for number in range(4):
        write_own(tmp_path, "walch", f"{number}")
    write_own(tmp_path, "slpdb", "slp04", counts=False)
    write_mesa(tmp_path / "mesa", 1)
    asked: list[tuple[list[str], list[str], int]] = []

    def left_out(*given: Any) -> dict[str, list[Any]]:
        nights, also, _, _, variants = given
        asked.append(([n.subject for n in nights], [n.subject for n in also], len(variants)))
        return {}

    monkeypatch.setattr(evaluate, "leave_one_out", left_out)
    lines = list(evaluate.table(tmp_path, 1))
    watch, every = ["0", "1", "2", "3"], len(evaluate.VARIANTS)
    assert (
        asked[::2]
        == asked[1::2]
        == [
            (watch, ["slp04", "mesa-sleep-0001"], every),
            (["mesa-sleep-0001"], [*watch, "slp04"], every),
            (["slp04"], [*watch, "mesa-sleep-0001"], 1),
        ]
    )
    assert lines[0] == "Leave one subject out, 4 watch nights."
    assert "1 records of beat intervals without motion (sleep apnoea)." in lines


def test_a_set_reads_no_night_before_it_is_asked(tmp_path: Path) -> None:
    write_slpdb(tmp_path, "slp01a")
    (tmp_path / "slp01b.st").write_bytes(b"broken")
    nights = find_sets(tmp_path)[0].all()
    assert next(nights).subject == "slp01a"
    with pytest.raises(UserError, match="slp01b"):
        next(nights)
