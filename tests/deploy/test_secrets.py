"""Passwords, tokens, the PIN and keys stand in no log, in no list of processes and in no environment."""

import http.cookiejar
import io
import logging
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.brokers import HOST, free_port, wait_for_port
from tests.home.client import wait_until
from tests.home_api import fake_home
from tests.pi.page_house import PIN
from tests.secured_broker import DEADLINE_S, Person, linked, secured_broker

from somnisphere.broker import broker_settings
from somnisphere.circle.identity import keep_identity, new_identity
from somnisphere.cli import main
from somnisphere.config import load
from somnisphere_home.messages import Message
from somnisphere_home.mqtt import BrokerSettings, Disconnected, HomeLink
from somnisphere_home.rest import HomeAssistantClient
from somnisphere_home.sure_link import SureLink

TOKEN = "eyJhbGciOiJIUzI1NiJ9.a-token-nobody-may-see.q7Zk"
WILL = Message("somnisphere/bedside/status", b"offline", retain=True, qos=1)
pytestmark = pytest.mark.broker


@contextmanager
def process(*words: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A command of ours that says all it can, into ``log``."""
    command = [sys.executable, "-m", "somnisphere", "-v", *words]
    with log.open("wb") as said, subprocess.Popen(command, stdout=said, stderr=said) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.wait(15)


def family(pid: int) -> Iterator[int]:
    """The process and all its children."""
    yield pid
    with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile, and so has nothing to show
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def seen_from_outside(pid: int) -> tuple[list[str], str]:
    """The programs of the family, and all that their entries in /proc show of arguments and environment."""
    names, text = [], b""
    for one in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            text += b"".join((Path("/proc") / str(one) / kind).read_bytes() for kind in ("cmdline", "environ"))
            names.append((Path("/proc") / str(one) / "comm").read_text().strip())
    return names, text.decode(errors="replace")


@pytest.mark.mpv
@pytest.mark.skipif(shutil.which("mpv") is None, reason="mpv is not installed (apt install mpv)")
def test_a_daemon_that_says_all_it_can_says_no_secret_and_nor_do_its_children(tmp_path: Path) -> None:
    log, config = tmp_path / "log", tmp_path / "somnisphere.toml"
    (tmp_path / "token").write_text(TOKEN)
    with (
        secured_broker(("bedside",), ("--home", "homeassistant")) as broker,
        fake_home() as home,
        Person(broker, "homeassistant") as person,
    ):
        password = broker.password("bedside")
        config.write_text(
            f'[mqtt]\nhost = "{HOST}"\nport = {broker.tls_port}\nusername = "bedside"\ntls = true\n'
            f'password_file = "{broker.files}/bedside.password"\nca_file = "{broker.ca}"\n'
            f'[home_assistant]\nurl = "{home.url}"\ntoken_file = "{tmp_path}/token"\nfire_events = true\n'
            f'still_up = ["light.hall"]\n[speaker]\nao = "null"\n[stories]\ncache = "{tmp_path}/cache"\n'
            f'[journal]\npath = "{tmp_path}/state/journal.db"\n[lamp]\nhome_light = "light.bedroom"\n'
        )
        home.states["light.bedroom"] = ("off", {"supported_color_modes": ["brightness"]})
        person.subscribe("somnisphere/#")
        with process("--config", str(config), "run", log=log) as running:
            person.waits(WILL.topic, b"online")
            person.publish("somnisphere/bedside/begin/set", b"PRESS")
            person.waits("somnisphere/bedside/begin/result")
            person.publish("somnisphere/bedside/one_more_page/set", b"PRESS")
            wait_until(lambda: "mpv" in seen_from_outside(running.pid)[0], "the player")
            names, outside = seen_from_outside(running.pid)
            wait_until(lambda: home.events, "a moment on the home's bus")
            home.mood = "401"  # which makes it complain
            person.publish("somnisphere/bedside/stop/set", b"PRESS")
            wait_until(lambda: "401" in log.read_text() or "refuse" in log.read_text().lower(), "a complaint")
    said = log.read_text()
    assert re.search("connected to .* with MQTT 5", said), "it did say all it could"
    assert "mpv" in names
    for secret in (password, TOKEN, TOKEN.split(".")[1]):
        assert secret not in said
        assert secret not in outside


def test_a_page_that_says_all_it_can_says_neither_pin_nor_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log, config, port = tmp_path / "log", tmp_path / "somnisphere.toml", free_port()
    config.write_text(
        f'[journal]\npath = "{tmp_path}/journal.db"\n[stories]\ncache = "{tmp_path}/cache"\n'
        "[page]\nloopback_needs_pin = true\n"
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PIN}\n"))
    assert main(["--config", str(config), "page", "pin"]) == 0
    words = ("--config", str(config), "page", "--port", str(port), "--broker", f"{HOST}:{free_port()}")
    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with process(*words, log=log) as running:
        wait_for_port(HOST, port, 20.0)
        with browser.open(f"http://{HOST}:{port}/sign-in", timeout=10) as page:
            token = re.search(r'name="form_token" value="([^"]+)"', page.read().decode())
        assert token is not None
        form = urllib.parse.urlencode({"form_token": token[1], "pin": PIN}).encode()
        browser.open(f"http://{HOST}:{port}/sign-in", form, timeout=10).close()
        session = next(cookie.value for cookie in jar if "session" in cookie.name)
        assert session is not None
        _, outside = seen_from_outside(running.pid)
    said = log.read_text()
    assert "nothing answers at the MQTT broker" in said, "it did say something"
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("household.db*"))
    for secret in (PIN, session, token[1]):
        assert secret not in said + outside + capsys.readouterr().out
    assert session.encode() not in kept


def test_a_refused_password_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with secured_broker(("bedside",)) as broker, linked(broker, WILL, password="wrong horse battery") as (_, events):
        refused = events.get(timeout=DEADLINE_S)
        assert isinstance(refused, Disconnected)
        assert "check the user name and password" in refused.reason
        assert "wrong horse" not in refused.reason + caplog.text + broker.log


def test_nothing_that_holds_a_secret_shows_it_when_it_is_printed(tmp_path: Path) -> None:
    """As a traceback, a debugger or a careless log line would."""
    (tmp_path / "password").write_text("correct horse\n")
    config = tmp_path / "somnisphere.toml"
    config.write_text(f'[mqtt]\nusername = "bedside"\npassword_file = "{tmp_path}/password"\n')
    settings = broker_settings(load(config))
    assert settings.password == "correct horse"
    identity = new_identity()
    keep_identity(identity, tmp_path / "key")
    key = (tmp_path / "key").read_text().strip()
    client = HomeAssistantClient("http://127.0.0.1:1", TOKEN)
    shown = [
        f"{it!r} {it!s}"
        for it in (settings, identity, client, HomeLink(settings, WILL, print), SureLink(settings, print), load(config))
    ]
    client.close()
    assert isinstance(settings, BrokerSettings)
    for secret in ("correct horse", TOKEN, key):
        assert not [text for text in shown if secret in text]


def test_a_crash_tells_where_and_no_secret(tmp_path: Path) -> None:
    """A mistake of the program, while it connects."""
    (tmp_path / "password").write_text("correct horse\n")
    config = tmp_path / "somnisphere.toml"
    config.write_text(
        f'[mqtt]\nusername = "bedside"\npassword_file = "{tmp_path}/password"\n[journal]\npath = "{tmp_path}/j.db"\n'
        f'[stories]\ncache = "{tmp_path}/cache"\n'
    )
    program = (
        "import sys; from somnisphere_home.mqtt import HomeLink; from somnisphere.cli import main\n"
        "def start(self): raise RuntimeError(f'{self._settings} {vars(self)}')\n"
        f"HomeLink.start = start; sys.exit(main(['-v', '--config', '{config}', 'run']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "RuntimeError: BrokerSettings(client_id='somnisphere_bedside'" in done.stderr
    assert "correct horse" not in done.stdout + done.stderr
