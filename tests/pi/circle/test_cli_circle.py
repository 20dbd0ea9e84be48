"""``somnisphere circle`` end to end without a broker: joining, consent, offers, the stick, taking back, leaving."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.circle_house import STORY, offer_for
from tests.circle_wire import Box

from somnisphere import cli
from somnisphere.circle.desk import Desk
from somnisphere.circle.known import GONE, HeldOffer, Member, Take
from somnisphere.circle.manifest import read_offer, sign_offer
from somnisphere.circle.partial import Partial
from somnisphere.circle.placing import NotTakenError, place
from somnisphere.circle.store import CircleStore
from somnisphere.config import load
from somnisphere.library import read
from somnisphere.story import Book

Output = pytest.CaptureFixture[str]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path / "anna", 1)
    box.run("circle", "new", "Birch Street", "--household", "The Arslans")
    return box


def refused(box: Box, capsys: Output, *words: str | Path) -> str:
    """What the command says when it does not do it."""
    capsys.readouterr()
    assert cli.main(["--config", str(box.config), *map(str, words)]) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


def test_without_a_circle_every_command_says_how_to_begin(tmp_path: Path, capsys: Output) -> None:
    box = Box(tmp_path / "alone", 1)
    for words in (("members",), ("offers",), ("take", "x"), ("bridge",), ("invite",), ("run",), ("leave", "--yes")):
        assert "This household is in no circle. Begin one" in refused(box, capsys, "circle", *words)
    assert "begins with SOMNISPHERE-CIRCLE:" in refused(box, capsys, "circle", "join", "hello", "--household", "x")


def test_a_circle_is_begun_once_and_its_key_is_private(box: Box, capsys: Output) -> None:
    key = box.folder / "circle" / "household.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o077 == 0
    assert "Leave it first" in refused(box, capsys, "circle", "new", "Another", "--household", "x")
    key.chmod(0o644)
    assert "chmod 600" in refused(box, capsys, "circle", "members")


def test_an_invitation_is_a_code_for_the_terminal_and_on_paper(box: Box, tmp_path: Path, capsys: Output) -> None:
    assert "--address" in refused(box, capsys, "circle", "invite")
    said = box.run("circle", "invite", "--address", "stories.example.org:8883", "--svg", tmp_path / "code.svg")
    lines = said.splitlines()
    code = [line for line in lines if any(block in line for block in "▀▄█")]
    assert code
    assert max(map(len, code)) <= 80
    text = next(line for line in lines if line.startswith("SOMNISPHERE-CIRCLE:"))
    picture = (tmp_path / "code.svg").read_text()
    assert picture.startswith("<svg")
    assert "<script" not in picture
    other = Box(tmp_path / "ben", 1)
    joined = other.run("circle", "join", text, "--household", "The Bauers", "--yes")
    assert f"The Arslans invites you to “Birch Street”. Compare their words: {box.words}" in joined
    bridge = other.run("circle", "bridge")
    assert "address stories.example.org:8883" in bridge
    assert "bridge_capath" in bridge


def test_the_code_is_read_by_another_program(box: Box, tmp_path: Path) -> None:
    """zbar, where it is installed, reads what segno wrote."""
    if shutil.which("zbarimg") is None:
        pytest.skip("zbarimg is not installed (apt install zbar-tools)")
    import segno

    said = box.run("circle", "invite", "--address", "stories.example.org:8883")
    text = next(line for line in said.splitlines() if line.startswith("SOMNISPHERE-CIRCLE:"))
    segno.make_qr(text, error="l", boost_error=False).save(str(tmp_path / "code.png"), scale=4, border=4)
    found = subprocess.run(
        ["zbarimg", "-q", "--raw", tmp_path / "code.png"], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == text


def test_consent_goes_with_the_voice(box: Box, capsys: Output) -> None:
    box.told("The whale", consent=False)
    said = refused(box, capsys, "circle", "offer", "The whale", "--licence", "CC0-1.0")
    assert (
        'was not asked yet. Ask, and when the answer is yes, write it down: somnisphere story consent "The whale.wav"'
        in said
    )
    box.run("story", "consent", "The whale", "--by", 'Oma "Ilse"', "--circle")
    assert "nobody said what others may do with it" in refused(box, capsys, "circle", "offer", "The whale")
    said = box.run("circle", "offer", "The whale", "--licence", "for the circle alone")
    assert said == "The whale: offered under for the circle alone.\n"
    packed = next((box.folder / "circle" / "offered").glob("*.story"))
    book = read(packed, packed.parent, box.folder / "cache")
    assert isinstance(book, Book)
    consent = book.recordings[0].consent
    assert consent is not None
    assert (consent.by, consent.circle) == ('Oma "Ilse"', True)
    exported = box.folder / "again.story"
    box.run("story", "export", "The whale", "--to", exported)
    assert exported.read_bytes() == packed.read_bytes()  # a .story on a stick carries it as well
    box.run("story", "remove", "The whale", "--yes")
    assert list(box.shelf.iterdir()) == []  # the note beside the sound went with it


def test_a_story_of_words_alone_needs_nobody_s_voice(box: Box) -> None:
    (box.shelf / "fog.txt").write_text("---\ntitle: The fog\nlicence: CC0-1.0\n---\n\nThe fog came. It stayed.\n")
    assert "offered under CC0-1.0" in box.run("circle", "offer", "The fog")


def two_that_know_each_other(box: Box, folder: Path) -> Box:
    other = Box(folder / "ben", 1)
    said = box.run("circle", "invite", "--address", "localhost:1", "--no-tls")
    text = next(line for line in said.splitlines() if line.startswith("SOMNISPHERE-CIRCLE:"))
    other.run("circle", "join", text, "--household", "The Bauers", "--yes")
    return other


def test_a_stick_carries_a_story_with_its_offer(box: Box, tmp_path: Path, capsys: Output) -> None:
    other = two_that_know_each_other(box, tmp_path)
    stick = tmp_path / "stick"
    stick.mkdir()
    box.told("The whale")
    box.run("circle", "offer", "The whale", "--licence", "CC0-1.0", "--stick", stick)
    assert sorted(path.name for path in stick.iterdir()) == ["the-whale.story", "the-whale.story.offer"]
    assert other.run("circle", "take", stick / "the-whale.story") == "The whale: now on the shelf.\n"
    assert list(other.stories.values()) == [(stick / "the-whale.story").read_bytes()]
    # altered, without its offer, of a stranger: not taken
    (stick / "altered.story").write_bytes((stick / "the-whale.story").read_bytes() + b"x")
    (stick / "altered.story.offer").write_text((stick / "the-whale.story.offer").read_text())
    assert "not the one that was offered" in refused(other, capsys, "circle", "take", stick / "altered.story")
    (stick / "the-whale.story.offer").unlink()
    assert "somnisphere story import" in refused(other, capsys, "circle", "take", stick / "the-whale.story")
    alone = Box(tmp_path / "cem", 1)
    alone.run("circle", "new", "Elsewhere", "--household", "The Cohens")
    box.run("circle", "offer", "The whale", "--licence", "CC0-1.0", "--stick", stick)
    assert "another circle" in refused(alone, capsys, "circle", "take", stick / "the-whale.story")


def test_taken_back_is_for_good_and_ours_stays(box: Box, capsys: Output) -> None:
    box.told("The quarrel")
    box.run("circle", "offer", "The quarrel", "--licence", "CC0-1.0")
    assert "Nobody is there to be asked" in refused(box, capsys, "circle", "take-back", "The quarrel")
    assert "taken back" in box.run("circle", "take-back", "The quarrel", "--yes")
    assert box.run("circle", "offers") == ""
    assert list((box.folder / "circle" / "offered").iterdir()) == []
    assert (box.shelf / "The quarrel.wav").exists()
    assert "for good" in refused(box, capsys, "circle", "offer", "The quarrel", "--licence", "CC0-1.0")
    assert "we offer no such story" in refused(box, capsys, "circle", "take-back", "The quarrel", "--yes")


def test_who_left_may_begin_anew_and_what_was_taken_back_stays_so(box: Box) -> None:
    box.told("The quarrel")
    box.run("circle", "offer", "The quarrel", "--licence", "CC0-1.0")
    box.run("circle", "take-back", "The quarrel", "--yes")
    before = box.words
    box.run("circle", "leave", "--yes")
    assert "(left)" in box.run("circle", "members")
    box.run("circle", "new", "Another", "--household", "The Arslans")
    assert box.words == before
    with Desk(load(box.config)) as desk:
        assert len(desk.known.taken_back) == 1


def test_bad_addresses_are_said(box: Box, capsys: Output) -> None:
    for address in ("host:", ":1", "host:99999", "a b:1", "x;y:1"):
        assert cli.main(["--config", str(box.config), "circle", "invite", "--address", address]) == 2
    assert "no address another household could reach" in refused(box, capsys, "circle", "invite", "--address", "a b:1")


def test_a_story_that_breaks_its_offer_s_word_is_not_put_on_the_shelf(box: Box, tmp_path: Path) -> None:
    """The pieces may be right and the story still hostile: it comes in through the library's careful reading."""
    arrived = tmp_path / "arrived"
    arrived.write_bytes(b"PK but no zip at all")
    with pytest.raises(NotTakenError, match="is no story"):
        place(arrived, offer_for(arrived.read_bytes()), box.shelf)
    box.told("The whale")
    exported = tmp_path / "whale.story"
    box.run("story", "export", "The whale", "--to", exported)
    with pytest.raises(NotTakenError, match="holds 1 voices, and its offer says that 0 allowed it"):
        place(exported, offer_for(exported.read_bytes(), voices=()), box.shelf)
    assert [path.name for path in box.shelf.iterdir() if path.suffix != ".toml"] == ["The whale.wav"]
    to = place(exported, offer_for(exported.read_bytes()), box.shelf)
    assert place(exported, offer_for(exported.read_bytes()), box.shelf) == to  # after a power cut: once, not twice


def test_what_arrived_is_checked_again_when_it_is_opened(tmp_path: Path) -> None:
    offer = offer_for(STORY)
    partial = Partial(tmp_path, offer)
    assert partial.open() == set()
    for index in (0, 2, 4):
        partial.keep(index, STORY[index * 65536 : (index + 1) * 65536])
    assert Partial(tmp_path, offer).open() == {0, 2, 4}
    with partial.path.open("r+b") as file:
        file.seek(2 * 65536)
        file.write(b"the disk lost this")
    (tmp_path / f"{offer.sha256}.had").write_bytes(b"\1\0\1\1\1")  # and noted what never came
    assert Partial(tmp_path, offer).open() == {0, 4}
    assert not partial.is_the_story()
    for index in range(offer.count):
        partial.keep(index, STORY[index * 65536 : (index + 1) * 65536])
    assert partial.is_the_story()
    partial.forget()
    assert list(tmp_path.iterdir()) == []


def test_the_store_gives_back_what_it_was_given(tmp_path: Path, box: Box) -> None:
    with Desk(load(box.config)) as desk:
        identity, circle = desk.identity(), desk.known.circle
        offer = offer_for(STORY, circle=circle.id)
        held = HeldOffer(identity.household, sign_offer(identity, offer), offer, mine=True)
        member = Member("lusab-babad-gutih-tugad-mibik", "Ben", b"k" * 32, "asks", 7, True)
        desk.store.keep_offer(held)
        desk.store.keep_member(member)
        desk.store.keep_take(Take(offer.sha256, member.household, GONE, "because"))
        other = CircleStore(box.folder / "household.db")
        desk.store.changed()
        assert not desk.store.changed()
        other.keep_place(offer.sha256, tmp_path / "x.story")
        assert desk.store.changed()
        assert not desk.store.changed()
        known = other.load()
        other.close()
    assert known is not None
    assert known.offers == {(identity.household, offer.sha256): held}
    assert known.members == {member.household: member}
    assert known.takes == {offer.sha256: Take(offer.sha256, member.household, GONE, "because")}
    assert known.owners == {offer.sha256: identity.household}
    assert read_offer(held.payload, circle.id).body == offer
    assert (box.folder / "household.db").stat().st_mode & 0o077 == 0


def test_the_daemon_does_not_load_the_circle() -> None:
    code = "import sys, somnisphere.daemon, somnisphere.cli_daemon; print(*sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | _path()
    )
    loaded = said.stdout.split()
    assert "somnisphere.daemon" in loaded
    assert not {"cryptography", "segno", "somnisphere.circle"} & set(loaded)


def _path() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
