"""The page as a process of its own: its PIN, its way to the bedside over a real broker, its death during a night."""

import io
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tests.box import box
from tests.brokers import free_port, mosquitto, wait_for_port
from tests.pi.page_house import PIN
from tests.pi.test_answers_on_the_wire import Wired

from somnisphere.cli import main
from somnisphere.page.box_link import BoxLink
from somnisphere.page.house import BoxError
from somnisphere.page.sessions import Sessions
from somnisphere.page.sign_in import is_pin
from somnisphere_home.mqtt import BrokerSettings

RSS_LIMIT_MIB = 120.0


def until(true: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    end_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end_s, f"{what} did not come within {within_s} s"
        time.sleep(0.05)


def configured(folder: Path, more: str = "") -> list[str]:
    path = folder / "somnisphere.toml"
    path.write_text(f'[journal]\npath = "{folder}/state/journal.db"\n[stories]\ncache = "{folder}/cache"\n{more}')
    return ["--config", str(path)]


@contextmanager
def page_process(folder: Path, broker_port: int, *options: str, more: str = "") -> Iterator[tuple[str, int]]:
    """Its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "somnisphere", *configured(folder, more), "page", "--port", str(port)]
    command += ["--broker", f"127.0.0.1:{broker_port}", *options]
    with (folder / "page.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for_port("127.0.0.1", port, 20.0)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(15)


def shown(address: str) -> str:
    with urlopen(address, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


# ---- the PIN ---------------------------------------------------------------------------------------------------------


def test_the_pin_is_set_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured(tmp_path)
    sessions = Sessions(tmp_path / "state" / "household.db")
    monkeypatch.setattr(sys, "stdin", io.StringIO("123456\n"))
    assert main([*config, "page", "pin"]) == 2
    assert "anybody tries; take another one; nothing was changed" in capsys.readouterr().err
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PIN}\n"))
    assert main([*config, "page", "pin"]) == 0
    assert PIN not in capsys.readouterr().out
    assert is_pin(PIN, sessions.pin_hash())
    token = sessions.begin("a phone", 1e9)
    assert main([*config, "page", "sign-out"]) == 0
    assert sessions.find(token, 1e9) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "somnisphere.local"])
def test_the_house_is_let_in_only_with_a_pin(tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert main([*configured(tmp_path, f'[page]\nhost = "{host}"\n'), "page"]) == 2
    said = capsys.readouterr().err
    assert f"page.host is {host}" in said
    assert "somnisphere page pin" in said


def test_a_household_file_that_is_no_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state" / "household.db").mkdir(parents=True)
    assert main([*configured(tmp_path), "page", "sign-out"]) == 2
    assert "household.db: cannot be opened" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "somnisphere", *configured(tmp_path), "page", "--broker", "127.0.0.1:1"]
        command += ["--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "Choose another page.host or page.port" in done.stderr


# ---- the way to the bedside ------------------------------------------------------------------------------------------


@pytest.mark.broker
def test_the_bedside_is_heard_asked_and_told_over_a_real_broker(tmp_path: Path) -> None:
    with mosquitto() as place, box(tmp_path / "journal.db", connected=False) as it:
        wired = Wired(it, place)
        link = BoxLink(BrokerSettings(client_id="x", host=place[0], port=place[1]), "bedside", "the_page")
        link.start()
        try:
            until(lambda: link.view().value("ritual", "phase") == "idle", "the bedside")
            assert link.view().is_there

            def served(wish: Callable[[], object]) -> object:
                """What comes of it; the box belongs to this thread, so the wish waits on another."""
                with ThreadPoolExecutor(1) as waiting:
                    coming = waiting.submit(wish)
                    wired.serve()
                    return coming.result(10)

            served(lambda: link.command("begin", "PRESS"))
            it.live(1.0)
            until(lambda: link.view().value("ritual", "phase") == "wind_down", "the phase")
            shelf = served(lambda: link.ask("shelf", {}))
            assert isinstance(shelf, dict)
            assert shelf["stories"]
            with pytest.raises(BoxError, match="there is no story 'nothing'"):
                served(lambda: link.ask("play", {"key": "nothing"}))
            with pytest.raises(BoxError, match="expected PRESS"):
                served(lambda: link.command("begin", "NOW"))
        finally:
            link.stop()
            wired.stop()


def test_without_a_broker_a_wish_is_refused_at_once() -> None:
    link = BoxLink(BrokerSettings(client_id="x", host="127.0.0.1", port=free_port()), "bedside", "the_page")
    link.start()
    try:
        until(lambda: link.view().problem != "", "the trouble")
        assert not link.view().is_there
        with pytest.raises(BoxError, match="nothing answers"):
            link.command("begin", "PRESS")
    finally:
        link.stop()


# ---- its life and its death ------------------------------------------------------------------------------------------


def test_the_page_is_a_light_process_and_hostile_bytes_do_not_end_it(tmp_path: Path) -> None:
    wild = (
        b"\x00" * 400, b"GET / HTTP/9.9\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n" * 50,
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\nabc",
        b"GET /tonight?a=%ff%fe HTTP/1.1\r\nHost: localhost\r\nCookie: \xff=\xff\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    )  # fmt: skip
    with page_process(tmp_path, free_port()) as (address, pid):
        port = int(address.rpartition(":")[2])
        for _ in range(5):
            for request in wild:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as visitor:
                    visitor.settimeout(5)
                    answer = b""
                    with suppress(ConnectionError):  # hung up on, rightly, at whichever of these steps
                        visitor.sendall(request)
                        with suppress(OSError):  # "not connected": it hung up before all was said
                            visitor.shutdown(socket.SHUT_WR)
                        while piece := visitor.recv(65536):
                            answer += piece
                    assert b" 500 " not in answer[:20], request[:60]
        assert "cannot be reached just now" in shown(f"{address}/tonight")
        assert "The goat in carriage six" in shown(f"{address}/shelf")
        status = Path(f"/proc/{pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        rss_mib = int(found.group(1)) / 1024
        print(f"\nthe page holds {rss_mib:.0f} MiB")
        assert rss_mib < RSS_LIMIT_MIB
    assert "Traceback" not in (tmp_path / "page.log").read_text()


def rehearsed(folder: Path, broker_port: int, during: Callable[["subprocess.Popen[bytes]"], None]) -> list[str]:
    """What the journal holds after a rehearsed night, without the day it was rehearsed on."""
    folder.mkdir()
    command = [sys.executable, "-m", "somnisphere", *configured(folder), "rehearse", "--plain", "--hours", "0.5"]
    command += ["--speed", "900", "--broker", f"127.0.0.1:{broker_port}", "--out", str(folder / "out")]
    with (folder / "night.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as night:
        during(night)
        assert night.wait(100) == 0, (folder / "night.log").read_text()[-2000:]
    with closing(sqlite3.connect(folder / "out" / "rehearsal.sqlite")) as journal:
        return [line for line in journal.iterdump() if 'INTO "epoch"' in line or 'INTO "moment"' in line]


@pytest.mark.broker
@pytest.mark.timeout(240)
def test_a_page_that_is_killed_does_not_change_the_night(tmp_path: Path) -> None:
    visits: list[str] = []

    def visited_and_killed(night: "subprocess.Popen[bytes]") -> None:
        journal = tmp_path / "with" / "out" / "rehearsal.sqlite"
        with page_process(tmp_path / "with", place[1], "--journal", str(journal)) as (address, pid):

            def told() -> bool:
                visits.append(shown(f"{address}/tonight"))
                shown(f"{address}/shelf")
                return "A story is being told." in visits[-1]

            until(told, "the story on the page", 40)
            assert night.poll() is None
            os.kill(pid, signal.SIGKILL)
            until(lambda: not answers(address), "the page's end")
            assert night.poll() is None, "the night was over before the page was killed"

    with mosquitto() as place:
        with_page = rehearsed(tmp_path / "with", place[1], visited_and_killed)
        alone = rehearsed(tmp_path / "alone", place[1], lambda _: None)
    assert len(alone) > 100
    assert with_page == alone


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_rehearsal_can_be_watched_on_its_page_which_ends_with_it(tmp_path: Path, number: int) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with mosquitto() as place, (tmp_path / "night.log").open("wb") as log:
        command = [sys.executable, "-m", "somnisphere", *configured(tmp_path), "rehearse", "--plain", "--speed", "30"]
        command += ["--page", str(port), "--broker", f"127.0.0.1:{place[1]}", "--out", str(tmp_path / "out")]
        with subprocess.Popen(command, stdout=log, stderr=log) as night:
            until(lambda: answers(address), "the page", 40)
            until(lambda: "cannot be reached" not in shown(f"{address}/tonight"), "the bedside", 40)
            night.send_signal(number)
            assert night.wait(30) == 130
        assert not answers(address)


def answers(address: str) -> bool:
    try:
        shown(f"{address}/tonight")
    except (URLError, ConnectionError):
        return False
    return True
