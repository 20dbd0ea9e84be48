"""The house page as a webpage card in a real Home Assistant's dashboard; and in nobody else's frame."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from PIL import Image
from tests.home.broker import free_port
from tests.home.browser import Shot, compress, look_at
from tests.home.harness import HomeAssistant
from tests.home.page import look_at as page_look_at
from tests.home.page import served
from tests.home.test_page_in_the_browser import PICTURES, furnished
from tests.pi.page_house import PIN, ToldBox, with_pin

pytestmark = [pytest.mark.home, pytest.mark.timeout(400)]


@pytest.fixture
def dashboard(home: HomeAssistant, tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "dashboard.yaml"
    (tmp_path / "dashboard.yaml").write_text("title: Empty\nviews:\n  - title: Empty\n    cards: []\n")
    home.put_dashboard(tmp_path / "dashboard.yaml")


def framed_in(home: HomeAssistant, dashboard: Path, address: str, picture: Path) -> tuple[tuple[str, ...], Path]:
    """The console's errors, and the picture of the dashboard."""
    card = {"type": "iframe", "url": f"{address}/tonight", "aspect_ratio": "100%"}
    view = {"title": "Page", "path": "page", "cards": [card]}
    dashboard.write_text(json.dumps({"title": "Page", "views": [view]}))
    home.put_dashboard(dashboard)
    look = look_at(home, "/bedside-test/page", [Shot(picture, 820, 1180, "dark")])[0]
    return look.errors, picture


def test_the_configured_home_shows_it_in_a_card_and_others_do_not(
    home: HomeAssistant, dashboard: Path, tmp_path: Path, pictures: Path
) -> None:
    box = ToldBox()
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
    ours = furnished(tmp_path / "ours", box, page={"framed_by": home.url})
    theirs = furnished(tmp_path / "theirs", box, page={"framed_by": "http://another.home:8123"})
    with served(ours) as address:
        errors, shown = framed_in(home, dashboard, address, pictures / "card-ours.png")
        assert [error for error in errors if "frame-ancestors" in error] == []
    with served(theirs) as address:
        errors, refused = framed_in(home, dashboard, address, pictures / "card-theirs.png")
        assert any("frame-ancestors" in error for error in errors), errors
    assert shown.read_bytes() != refused.read_bytes()
    if os.environ.get("SOMNISPHERE_KEEP_PICTURES") == "1":
        with Image.open(shown) as whole:
            whole.crop((150, 0, 670, 570)).save(shown)
        compress(shown, PICTURES / "page-card.png")


@contextmanager
def framing(address: str, port: int) -> Iterator[None]:
    """A page on this machine that shows ``address`` in a frame, and nothing else."""

    class Frame(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<!doctype html><iframe src="{address}" width="700" height="900"></iframe>'.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Frame) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join(10)


@pytest.mark.usefixtures("broker")
def test_the_pin_is_kept_in_a_frame_of_the_same_host_and_a_lost_cookie_is_said_in_another(tmp_path: Path) -> None:
    """A port makes no other site; 127.0.0.1 and localhost are two, as two machines of a house are."""
    sign_in = [{"fill": "#pin", "with": PIN, "frame": True}, {"click": "form.stacked button", "frame": True}]
    house = with_pin(furnished(tmp_path, ToldBox(), page={"loopback_needs_pin": True}))
    seen = []
    for host, told in (
        ("127.0.0.1", "A story is being told."),
        ("localhost", "The browser kept no cookie of this page."),
    ):
        with ExitStack() as stack:
            port = free_port()
            own = msgspec.structs.replace(house.config.page, framed_by=f"http://{host}:{port}")
            config = msgspec.structs.replace(house.config, page=own)
            address = stack.enter_context(served(replace(house, config=config)))
            stack.enter_context(framing(f"{address}/tonight", port))
            steps = [*sign_in, {"wait_text": told, "frame": True}]
            seen += page_look_at(f"http://{host}:{port}", [{"path": "/", "steps": steps}])
    assert len(seen) == 2
