"""Every shell block of ``integrations/README.md``, run as it is written, at a real broker with a box behind it.

Only ``BROKER`` is replaced, by the broker's address with its port.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mutagen.oggopus import OggOpus
from tests.box import Box, box
from tests.brokers import mosquitto
from tests.home.broker import Broker
from tests.payloads import Payloads
from tests.pi.test_answers_on_the_wire import Wired

from somnisphere.bedtime.phases import Phase
from somnisphere.library import STARTER_FOLDER
from somnisphere_home.entity import LIGHT_SCALE

README = (Path(__file__).resolve().parents[2] / "integrations" / "README.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
NEEDED = ("mosquitto_pub", "mosquitto_sub", "mosquitto_rr", "jq")
MISSING = [program for program in NEEDED if shutil.which(program) is None]
BASE = "somnisphere/bedside"
NIGHT = "2026-03-14"
"""Of the box's evening."""

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(bool(MISSING), reason=f"missing: {MISSING} (apt install mosquitto-clients jq)"),
]


class Desk:
    """A person at a shell in ``folder``, with the box and the broker."""

    def __init__(self, it: Box, wired: Wired, folder: Path) -> None:
        self.it, self.wired, self.folder = it, wired, folder
        self.broker = Broker(wired.place[1])

    @contextlib.contextmanager
    def runs(self, block: str) -> Iterator["subprocess.Popen[bytes]"]:
        """As it is written, in a shell of its own, which is ended with all that it began."""
        host, port = self.wired.place
        script = block.replace("BROKER", f"{host} -p {port}")
        with (self.folder / "said.txt").open("wb") as said:
            shell = subprocess.Popen(["sh", "-c", script], cwd=self.folder, stdout=said, start_new_session=True)
            try:
                yield shell
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(shell.pid, signal.SIGTERM)
                shell.wait(10)

    @property
    def said(self) -> list[str]:
        return (self.folder / "said.txt").read_text().splitlines()

    def to_its_end(self, block: str) -> None:
        with self.runs(block) as shell:
            self.wired.serve_until(lambda: shell.poll() is not None)
            assert shell.wait() == 0
        self.wired.serve_until(lambda: True)

    def a_night(self) -> None:
        self.it.command("begin")
        self.it.live(1900.0, 5.0)  # the picture is drawn every half hour
        self.it.command("stop")
        self.it.live(70.0)


@contextlib.contextmanager
def told(path: Path) -> Iterator[OggOpus]:
    """A sound that is a story, with tags to fill in."""
    shutil.copy(next(STARTER_FOLDER.rglob("*.opus")), path)
    story = OggOpus(path)  # type: ignore[no-untyped-call]
    yield story
    story.save()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The shelf is of the household's own, and has the story that the page tells of."""
    shelf, folder = tmp_path / "shelf", tmp_path / "desk"
    shelf.mkdir()
    folder.mkdir()
    for title in ("Moby-Dick", "The Snow Queen"):
        with told(shelf / f"{title}.opus") as story:
            story["title"] = title
    with mosquitto() as place, box(tmp_path / "journal.db", connected=False, stories=shelf) as it:
        wired = Wired(it, place)
        try:
            yield Desk(it, wired, folder)
        finally:
            wired.stop()


def ask(desk: Desk, block: str) -> None:
    desk.a_night()
    desk.to_its_end(block)
    night, played = "\n".join(desk.said).replace("}{", "}\n{").splitlines()
    assert json.loads(night)["answer"]["night"] == NIGHT
    assert json.loads(played) == {"ok": True, "id": None, "answer": {}}
    assert desk.it.daemon.snapshot().story_title == "The Snow Queen"


def everything(desk: Desk, block: str) -> None:
    with desk.runs(block):
        desk.wired.serve_until(lambda: any(line.startswith(f"{BASE}/ritual ") for line in desk.said))
        desk.it.command("begin")
        desk.wired.serve_until(lambda: any(line.startswith(f"{BASE}/sleep_moment/trigger ") for line in desk.said))
    assert f"{BASE}/status online" in desk.said


def heart(desk: Desk, block: str) -> None:
    """There is no chip here: what the box would say of a pulse is said in its place, as the document wants it."""
    topic = f"{BASE}/vitals"
    with desk.runs(block):
        desk.wired.serve_until(lambda: desk.said == ["null"])
        said = json.dumps(json.loads(desk.broker.retained(topic)[topic]) | {"heart_rate": 57})
        assert Payloads().fault(topic, said.encode()) == ""
        desk.broker.publish(topic, said)
        desk.wired.serve_until(lambda: desk.said == ["null", "57"])


def sleep(desk: Desk, block: str) -> None:
    topic = f"{BASE}/sleep_moment/trigger"
    with desk.runs(block):

        def heard() -> bool:
            for moment in ("stirred", "fell_asleep"):
                desk.broker.publish(topic, moment)
            return len(desk.said) > 1

        desk.wired.serve_until(heard)
    assert set(desk.said) == {"good night"}


def evening(desk: Desk, block: str) -> None:
    lines = block.splitlines()
    assert len(lines) == 3
    for line, phase in zip(lines, (Phase.WIND_DOWN, Phase.IDLE, Phase.STORY), strict=True):
        desk.to_its_end(line)
        desk.wired.serve_until(lambda phase=phase: desk.it.daemon.snapshot().phase is phase)  # type: ignore[misc]


def settings(desk: Desk, block: str) -> None:
    assert desk.it.daemon.snapshot().story_title == "Moby-Dick"
    desk.to_its_end(block)
    now = desk.it.daemon.snapshot
    desk.wired.serve_until(lambda: (now().story_title, now().volume_pct) == ("The Snow Queen", 25.0))
    desk.it.live(610.0)
    assert now().lamp_lightness_pct == pytest.approx(410 / LIGHT_SCALE * 100, abs=0.1)


def files(desk: Desk, block: str) -> None:
    """The last of the three listens on; the sensor of this box is not there."""
    (desk.folder / "lighthouse.txt").write_text('A lighthouse stood\nin the "sea".\n')
    desk.a_night()
    with desk.runs(block):
        desk.wired.serve_until(lambda: len(desk.said) >= 1 and (desk.folder / "night.json").exists())
        assert json.loads(desk.said[0])["ok"], desk.said
        topic = f"{BASE}/health"
        now = json.loads(desk.broker.retained(topic)[topic])
        told = now["sensor_problem_attributes"] | {"problem": "nothing answers on I2C bus 1"}
        said = json.dumps(now | {"sensor_problem": True, "sensor_problem_attributes": told})
        assert Payloads().fault(topic, said.encode()) == ""

        def heard() -> bool:
            desk.broker.publish(topic, said)
            return len(desk.said) > 1

        desk.wired.serve_until(heard)
    assert set(desk.said[1:]) == {"nothing answers on I2C bus 1"}
    assert json.loads((desk.folder / "night.json").read_text())["night"] == NIGHT
    assert 'A lighthouse stood\nin the "sea".' in (desk.folder.parent / "shelf" / "The Lighthouse.txt").read_text()


def picture(desk: Desk, block: str) -> None:
    desk.a_night()
    desk.to_its_end(block)
    assert (desk.folder / "night.svg").read_bytes() == desk.broker.retained(f"{BASE}/night/image")[
        f"{BASE}/night/image"
    ]
    assert (desk.folder / "night.svg").read_text().startswith("<svg")


def forgotten(desk: Desk, block: str) -> None:
    topic = "homeassistant/device/somnisphere_bedside/config"
    desk.wired.serve_until(lambda: topic in desk.broker.retained(topic))
    desk.wired.stop()  # as the page says
    desk.to_its_end(block)
    assert desk.broker.retained(topic) == {}


RUNS: dict[str, Callable[[Desk, str], None]] = {
    "ask/play": ask,
    "bedside/#": everything,
    ".heart_rate": heart,
    "while read -r moment": sleep,
    "one_more_page/set": evening,
    "lamp/set": settings,
    "ask/add_story": files,
    "night/image": picture,
    "/config": forgotten,
}
"""By what is in the block and in no other."""


@pytest.mark.parametrize("words", RUNS)
def test_a_block_of_the_page_does_what_the_page_says(desk: Desk, words: str) -> None:
    (block,) = [block for block in BLOCKS if words in block]
    RUNS[words](desk, block)


def test_every_block_of_the_page_is_run() -> None:
    assert [sum(words in block for words in RUNS) for block in BLOCKS] == [1] * len(RUNS)
