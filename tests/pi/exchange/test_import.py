"""Nights of other trackers: read as their makers write them, kept once, shown under their name, and never believed more
than that."""

import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.cli_words import Output, configured, error_of
from tests.pi.safekeeping.lived_in import DATES, keep_night

from somnisphere.cli import main
from somnisphere.exchange.imported import ImportedNight, ImportedNights, Span
from somnisphere.exchange.tracker_rows import TrackerError
from somnisphere.exchange.trackers import read_tracker
from somnisphere.journal import Journal
from somnisphere.night import Stage

PLAIN = """start,end,stage,source
2026-03-10T23:00:00+01:00,2026-03-10T23:20:00+01:00,awake,my ring
2026-03-10T23:20:00+01:00,2026-03-11T01:00:00+01:00,N2,my ring
2026-03-11T01:00:00+01:00,2026-03-11T02:00:00+01:00,deep,my ring
2026-03-11T02:00:00+01:00,2026-03-11T02:10:00+01:00,,my ring
2026-03-11T02:10:00+01:00,2026-03-11T03:00:00+01:00,REM,my ring
2026-03-11T23:30:00+01:00,2026-03-12T06:00:00+01:00,light,my ring
"""
FITBIT = """Sleep
Start Time,End Time,Minutes Asleep,Minutes Awake,Number of Awakenings,Time in Bed,\
Minutes REM Sleep,Minutes Light Sleep,Minutes Deep Sleep
"2026-03-10 11:12PM","2026-03-11 6:42AM","400","50","30","450","100","210","90"
"11-03-2026 10:10 pm","12-03-2026 6:10 am","420","60","3","N/A","N/A","N/A","N/A"
"2026-03-12 10:00PM","2026-03-13 6:00AM","N/A","N/A","3","480","1,000","10","20"
"""
ANDROID = (
    'Id,Tz,From,To,Sched,Hours,Rating,Comment,Framerate,Snore,Noise,Cycles,DeepSleep,LenAdjust,Geo,"23:05","23:15",'
    '"Event","Event","Event","Event","Event","Event","Event"\n'
    '"1773180000000","Europe/Berlin","10. 03. 2026 23:00","11. 03. 2026 5:00","","6.0","4.5","#dream","10007","-1",'
    '"-1.0","4","0.4","-5","","0.1","0.2","LIGHT_START-1773181200000","LIGHT_END-1773184800000",'
    '"DEEP_START-1773184800000","DEEP_END-1773188400000","REM_START-1773188400000","DHA-1773188400001-17",'
    '"AWAKE_START-1773190200000"\n'
    ',,,,,,,,,,,,,,,"0.01","0.02"\n'
    "Id,Tz,From,To,Sched,Hours,Rating,Comment,Framerate,Snore,Noise,Cycles,DeepSleep,LenAdjust,Geo\n"
    '"1773266400000","Europe/Berlin","11. 03. 2026 23:00","12. 03. 2026 7:00","","8.0","0.0","typed","10007","-1",'
    '"-1.0","-1","-1.0","0",""\n'
)
WITHINGS = (
    "start,duration,value\n"
    '2026-03-10T23:00:00+01:00,"[600,3600]","[0,1]"\n'
    '2026-03-11T00:10:00+01:00,"[1800,900]","[2,3]"\n'
    '2026-03-11T23:00:00+01:00,"[3600]","[5]"\n'
)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def read(folder: Path, text: str) -> list[ImportedNight]:
    path = folder / "tracker.csv"
    path.write_text(text)
    return read_tracker(path)


def at(text: str) -> float:
    return datetime.fromisoformat(text).astimezone().timestamp()


def test_the_plain_form(tmp_path: Path) -> None:
    first, second = read(tmp_path, PLAIN)
    assert (first.source, first.night_id, second.night_id) == ("my ring", "2026-03-10", "2026-03-11")
    assert (first.began_s, first.ended_s) == (at("2026-03-10T23:00"), at("2026-03-11T03:00"))
    assert [span.stage for span in first.spans] == [Stage.AWAKE, Stage.LIGHT, Stage.DEEP, None, Stage.REM]
    assert first.minutes == {"awake": 20.0, "light": 100.0, "deep": 60.0, "rem": 50.0}
    assert (first.fell_asleep_s, first.woke_up_s) == (at("2026-03-10T23:20"), at("2026-03-11T03:00"))


def test_fitbit(tmp_path: Path) -> None:
    """Its second night is written in the other way; the third has no minutes, so its start counts."""
    first, second, third = read(tmp_path, FITBIT.replace("1,000", "N/A"))
    assert first.source == "fitbit"
    assert (first.began_s, first.ended_s) == (at("2026-03-10T23:12"), at("2026-03-11T06:42"))
    assert first.minutes == {"awake": 50.0, "light": 210.0, "deep": 90.0, "rem": 100.0}
    assert (first.spans, first.fell_asleep_s) == ((), None)
    assert (second.began_s, second.minutes) == (at("2026-03-11T22:10"), {"awake": 60.0})
    assert (third.began_s, third.minutes) == (at("2026-03-12T22:00"), {"light": 10.0, "deep": 20.0})


def test_sleep_as_android(tmp_path: Path) -> None:
    """The second night was typed in, and has no stages."""
    first, second = read(tmp_path, ANDROID)
    assert (first.source, first.night_id, first.began_s) == ("sleep as android", "2026-03-10", 1773180000.0)
    assert first.ended_s - first.began_s == 6 * 3600
    assert first.spans == (
        Span(1773181200.0, 1773184800.0, Stage.LIGHT),
        Span(1773184800.0, 1773188400.0, Stage.DEEP),
        Span(1773188400.0, 1773190200.0, Stage.REM),
        Span(1773190200.0, 1773201600.0, Stage.AWAKE),
    )
    assert (second.spans, second.minutes, second.ended_s - second.began_s) == ((), {}, 8 * 3600)


def test_withings(tmp_path: Path) -> None:
    first, second = read(tmp_path, WITHINGS)
    assert first.source == "withings"
    assert [(span.start_s - first.began_s, span.stage) for span in first.spans] == [
        (0.0, Stage.AWAKE),
        (600.0, Stage.LIGHT),
        (4200.0, Stage.DEEP),
        (6000.0, Stage.REM),
    ]
    assert (second.night_id, second.spans[0].stage) == ("2026-03-11", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "its first line names 'nothing'"),
        ("date,score,efficiency\n2026-03-10,88,93\n", "its first line names 'date, score, efficiency'"),
        ("a\0b,c\n", "no reader here knows"),
        ("start,end,stage\n", "there is no night in it"),
        ("start,end,stage\n2026-03-10T23:00,2026-03-10T22:00,light\n", "line 2: a span ends after it begins"),
        ("start,end,stage\n2026-03-10T23:00,2026-03-11T22:00,nap\n", "line 2: 'nap' is no stage"),
        ("start,end,stage\n23:00,2026-03-11T22:00,rem\n", "line 2: '23:00' is no time"),
        ("start,end,stage\n2026-03-10T23:00,2026-03-13T22:00,rem\n", "line 2: this night is longer than a day"),
        ("start,end,stage\n1026-03-10T23:00,1026-03-11T01:00,rem\n", "before 1990"),
        ("start,end,stage\n2026-03-10T23:00,2026-03-11T01:00\n", "line 2: it has 2 columns"),
        (
            "start,end,stage\n2026-03-10T23:00,2026-03-11T01:00,rem\n\n2026-03-11T00:00,2026-03-11T02:00,rem\n",
            "line 4: it lies over another span",
        ),
        ("start,end,stage,source\n2026-03-10T23:00,2026-03-11T01:00,rem,Somnisphere\n", "somnisphere restore"),
        (FITBIT.replace("1,000", "1,000,000"), "line 5: '1,000,000' are no minutes"),
        (FITBIT.replace("400", "99999"), "line 3: '99999' are no minutes"),
        (FITBIT.replace("6:42AM", "late"), "is no time such as"),
        (ANDROID.replace('"6.0"', '"nan"'), "line 2: 'nan' is no number"),
        (ANDROID.replace('"6.0"', '"600"'), "line 2: '600' are no hours"),
        (ANDROID.replace("1773181200000", "soon"), "line 2: 'soon' is no number"),
        (WITHINGS.replace("[2,3]", "[2,64]"), "64 is no state of sleep"),
        (WITHINGS.replace("[2,3]", "[2]"), "line 3: it has 2 lengths and 1 states"),
        (WITHINGS.replace("[2,3]", "2"), "is no list of numbers"),
        (WITHINGS.replace("[1800,900]", "[1800,-900]"), "-900 is no length"),
    ],
)
def test_errors_name_the_line_and_the_mend(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(TrackerError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
    assert str(tmp_path / "tracker.csv") in str(caught.value)


def test_what_is_no_text(tmp_path: Path) -> None:
    for content in (b"\xff\xfe\x00", b"PK\x03\x04\xff"):
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(TrackerError, match="not text in UTF-8"):
            read_tracker(tmp_path / "x.csv")
    with pytest.raises(TrackerError, match="cannot be read"):
        read_tracker(tmp_path / "none.csv")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(text="start,end,stage\n2026-03-10T23:00:00+99:00,x,rem")
@given(
    text=st.one_of(
        st.text(max_size=200),
        st.builds(
            lambda head, at, put: head[: at % len(head)] + put + head[at % len(head) + len(put) :],
            st.sampled_from((PLAIN, FITBIT, ANDROID, WITHINGS)),
            st.integers(0, 5000),
            st.text(max_size=6),
        ),
    )
)
def test_any_file_is_nights_or_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        nights = read_tracker(path)
    except TrackerError:
        return
    for night in nights:
        assert night.began_s < night.ended_s
        assert all(span.start_s < span.end_s for span in night.spans)
        json.dumps(night.minutes, allow_nan=False)


@pytest.fixture
def config(tmp_path: Path) -> str:
    journal = Journal(tmp_path / "journal.db")
    for night in DATES:
        keep_night(journal, night)
    journal.close()
    return str(configured(tmp_path, f'[journal]\npath = "{tmp_path}/journal.db"\n'))


def test_they_stand_beside_ours_under_their_name(config: str, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "ring.csv").write_text(PLAIN)
    assert main(["--config", config, "import", str(tmp_path / "ring.csv")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 nights came in of my ring, 2026-03-10 to 2026-03-11.")
    assert "teach it nothing" in said
    assert main(["--config", config, "nights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:10] for line in lines[:5]] == ["2026-03-10", "2026-03-10", "2026-03-11", "2026-03-12", "2026-03-14"]
    assert lines[1] == "2026-03-10   my ring: from 23:00 to 03:00, asleep about 23:20, awake about 03:00"
    assert main(["--config", config, "nights", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["source"] for row in rows] == ["somnisphere", "my ring", "my ring", "somnisphere", "somnisphere"]
    assert (rows[1]["total_sleep_min_about"], rows[1]["total_sleep_min_low"]) == ("210.0", "")
    assert main(["--config", config, "nights", "--json", "--since", "2026-03-11"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["source"] == "my ring"


def test_through_a_pipe(config: str, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    assert main(["--config", config, "import", "-"]) == 0
    assert "2 nights came in" in capsys.readouterr().out
    assert len(ImportedNights(tmp_path / "household.db").all()) == 2


def test_once_and_not_twice(config: str, tmp_path: Path, capsys: Output) -> None:
    """Again: known. Cut differently: left. Of another tracker: kept side by side."""
    path = tmp_path / "ring.csv"
    path.write_text(PLAIN)
    for _ in range(2):
        assert main(["--config", config, "import", str(path)]) == 0
    assert "2 nights had come in before and stayed as they were." in capsys.readouterr().out
    path.write_text(PLAIN.replace("23:30:00", "23:40:00"))
    assert main(["--config", config, "import", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Left out: 2026-03-11   my ring: from 23:40 to 06:00" in said
    path.write_text(WITHINGS)
    assert main(["--config", config, "import", str(path)]) == 0
    assert len(ImportedNights(tmp_path / "household.db").all()) == 4


def test_a_dry_run_keeps_nothing(config: str, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "ring.csv").write_text(FITBIT.replace("1,000", "100"))
    assert main(["--config", config, "import", str(tmp_path / "ring.csv"), "--dry-run"]) == 0
    assert "3 nights would come in of fitbit" in capsys.readouterr().out
    assert ImportedNights(tmp_path / "household.db").all() == []


def test_they_teach_nothing(config: str, tmp_path: Path, capsys: Output) -> None:
    """The journal is not touched: neither the sleeper's middles nor regularity nor the last night's times change."""
    before = (tmp_path / "journal.db").read_bytes()
    (tmp_path / "ring.csv").write_text(PLAIN)
    assert main(["--config", config, "nights", "--json"]) == 0
    ours = capsys.readouterr().out.splitlines()
    assert main(["--config", config, "import", str(tmp_path / "ring.csv")]) == 0
    assert (tmp_path / "journal.db").read_bytes() == before
    capsys.readouterr()
    assert main(["--config", config, "nights", "--json"]) == 0
    both = capsys.readouterr().out.splitlines()
    assert [line for line in both if '"my ring"' not in line] == ours


def test_a_households_file_that_is_broken_hides_none_of_ours(config: str, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "household.db").write_bytes(b"no database" * 100)
    assert main(["--config", config, "nights"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(DATES[0])
    assert "Imported nights are left out" in said.err


def test_before_the_first_night_of_ones_own(tmp_path: Path, capsys: Output) -> None:
    config = str(configured(tmp_path, f'[journal]\npath = "{tmp_path}/new/journal.db"\n'))
    (tmp_path / "ring.csv").write_text(PLAIN)
    assert main(["--config", config, "import", str(tmp_path / "ring.csv")]) == 0
    capsys.readouterr()
    assert main(["--config", config, "nights"]) == 0
    assert capsys.readouterr().out.count("my ring") == 2


def test_a_household_that_cannot_be_written(config: str, tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "household.db").mkdir()
    (tmp_path / "ring.csv").write_text(PLAIN)
    assert main(["--config", config, "import", str(tmp_path / "ring.csv")]) == 2
    assert "nothing was imported" in error_of(capsys)
