"""Signed messages, offers, invitations and names: what is taken, and the sentence for what is not."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.circle_house import CIRCLE, NOW_S, STORY, offer_for

from somnisphere.circle.bridge import access_list, bridge_configuration, crossing
from somnisphere.circle.identity import KeyFileError, household_id, keep_identity, load_identity, new_identity
from somnisphere.circle.manifest import MOST_BYTES, Offer, read_offer, sign_offer
from somnisphere.circle.members import Invitation, invitation_text, read_invitation
from somnisphere.circle.pieces import read_ask, read_piece
from somnisphere.circle.signed import RefusedError, signed
from somnisphere.circle.spoken import spoken, unspoken
from somnisphere.circle.take_back import read_take_back
from somnisphere.circle.topics import CircleTopics

ME = new_identity()


@given(st.binary(min_size=10, max_size=10))
def test_a_name_is_spoken_and_understood(number: bytes) -> None:
    words = spoken(number)
    assert unspoken(words) == number
    assert len(words) == 29


def test_proquints_are_the_published_ones() -> None:
    """arXiv 0901.4016 gives 127.0.0.1 as lusab-babad and 63.84.220.193 as gutih-tugad."""
    assert spoken(bytes([127, 0, 0, 1, 63, 84, 220, 193])) == "lusab-babad-gutih-tugad"


def test_a_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "household.key"
    keep_identity(ME, path)
    assert path.stat().st_mode & 0o777 == 0o600
    again = load_identity(path)
    assert again.household == ME.household == household_id(ME.key)
    assert again.sign(b"x") == ME.sign(b"x")
    with pytest.raises(FileExistsError):
        keep_identity(new_identity(), path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="others may read"):
        load_identity(path)
    path.chmod(0o600)
    path.write_text("not a key")
    with pytest.raises(KeyFileError, match="no key of a household"):
        load_identity(path)
    with pytest.raises(KeyFileError, match="no key yet"):
        load_identity(tmp_path / "none")
    assert "_private" not in repr(again)


def test_an_offer_is_read_as_it_was_signed() -> None:
    offer = offer_for(STORY)
    said = read_offer(sign_offer(ME, offer), CIRCLE)
    assert said.body == offer
    assert said.household == ME.household


def _payload(change: Callable[[dict[str, object]], None]) -> bytes:
    """A rightly signed offer whose body is not as it should be."""
    body = json.loads(msgspec.json.encode(offer_for(STORY)))
    change(body)

    class Anything(msgspec.Struct):
        pass

    kind = msgspec.defstruct("Anything", list(body))
    return signed(ME, "offer", kind(**body))


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("circle", "gutih-tugad-gutih-tugad-gutih", "another circle"),
        ("title", "", "length >= 1"),
        ("title", "x" * 121, "length <= 120"),
        ("title", "The\x1b[31mwhale", "signs that are not printed"),
        ("title", "whale\u202e", "signs that are not printed"),
        ("size_bytes", 0, "`int` >= 1"),
        ("size_bytes", 10**12, "`int` <= 268435456"),
        ("size_bytes", STORY.__len__() + 65536 * 9, "do not add up"),
        ("piece_bytes", 70_000, "do not add up"),
        ("pieces_sha256", "", "length >= 32"),
        ("sha256", "A" * 64, "matching regex"),
        ("licence", "", "length >= 1"),
        ("language", "klingon!", "no language"),
        ("cover", base64.b64encode(b"<svg onload=alert(1)>").decode(), "no JPEG, PNG or WebP"),
        ("cover", base64.b64encode(b"x" * 30_000).decode(), "length <= 24576"),
        ("created", "2026-02-31", "no day 2026-02-31"),
        ("voices", [{"teller": "A", "by": "", "on": "2026-01-01"}], "length >= 1"),
        ("plays", 12, "unknown field `plays`"),
    ],
)
def test_an_offer_that_is_not_one_is_refused_with_its_reason(key: str, value: object, reason: str) -> None:
    payload = _payload(lambda body: body.update({key: value}))
    with pytest.raises(RefusedError, match=reason.replace("(", r"\(")):
        read_offer(payload, CIRCLE)


def test_the_same_words_have_one_spelling() -> None:
    good = sign_offer(ME, offer_for(STORY))
    assert read_offer(good, CIRCLE).body.title == "The whale"
    for other in (
        b" " + good,
        good + b"\n",
        good.replace(b'{"format":1', b'{"format": 1'),
        json.dumps(json.loads(good)).encode(),
    ):
        with pytest.raises(RefusedError):
            read_offer(other, CIRCLE)


def test_a_key_said_twice_is_refused() -> None:
    offer = msgspec.json.encode(offer_for(STORY))
    twice = offer[:-1] + b',"title":"Another"}'
    signature = ME.sign(b"somnisphere circle 1 offer\n" + twice)
    words = {"key": base64.b64encode(ME.key).decode(), "signature": base64.b64encode(signature).decode()}
    payload = (
        b'{"format":1,"kind":"offer","body":' + twice + b"," + json.dumps(words, separators=(",", ":")).encode()[1:]
    )
    with pytest.raises(RefusedError, match="spelt in another way"):
        read_offer(payload, CIRCLE)


def test_a_signature_for_one_kind_is_none_for_another() -> None:
    payload = sign_offer(ME, offer_for(STORY)).replace(b'"kind":"offer"', b'"kind":"take-back"')
    with pytest.raises(RefusedError, match="signature does not hold"):
        read_take_back(payload, CIRCLE)


@given(st.binary(max_size=400))
def test_noise_is_refused_and_never_a_crash(noise: bytes) -> None:
    for read in (read_offer, read_take_back, read_ask):
        with pytest.raises(RefusedError):
            read(noise, CIRCLE)
    if len(noise) > 36:
        assert read_piece(noise).data == noise[36:]


@given(st.data())
def test_one_wrong_byte_anywhere_is_refused(data: st.DataObject) -> None:
    good = bytearray(sign_offer(ME, offer_for(b"short")))
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RefusedError):
        read_offer(bytes(good), CIRCLE)


def test_depth_and_length_are_bounded() -> None:
    with pytest.raises(RefusedError, match="at most"):
        read_offer(b"x" * (MOST_BYTES + 1), CIRCLE)
    deep = b'{"format":1,"kind":"offer","body":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    with pytest.raises(RefusedError):
        read_offer(deep, CIRCLE)


def test_the_largest_offer_fits() -> None:
    voices = offer_for(STORY).voices * 64
    largest = offer_for(
        STORY,
        size_bytes=1024 * 262_144,
        piece_bytes=262_144,
        pieces_sha256=b"\xff" * 32 * 1024,
        cover=b"\xff\xd8\xff" + b"x" * 24_573,
        title="\N{GRINNING FACE}" * 120,
        voices=voices,
    )
    assert len(read_offer(sign_offer(ME, largest), CIRCLE).body.voices) == 64


# ---- invitations -----------------------------------------------------------------------------------------------------

INVITATION = Invitation(
    bytes(10), "Birch Street", "Anna", b"n" * 16, int(NOW_S) + 60, "stories.example.org", 8883, True
)


def test_an_invitation_is_short_enough_for_a_small_code_and_read_again() -> None:
    text = invitation_text(ME, INVITATION)
    assert text == text.upper()
    assert len(text) < 400
    assert read_invitation(f"  {text[:50]}\n{text[50:].lower()} ", NOW_S) == (ME.key, INVITATION)


def test_an_invitation_expires_and_does_not_bear_alteration() -> None:
    text = invitation_text(ME, INVITATION)
    with pytest.raises(RefusedError, match="is over"):
        read_invitation(text, NOW_S + 60)
    with pytest.raises(RefusedError, match="altered"):
        read_invitation(text[:-3] + ("AAA" if text[-3:] != "AAA" else "BBB"), NOW_S)
    for wrong in ("", "SOMNISPHERE-CIRCLE:", "SOMNISPHERE-CIRCLE:1", text[:200], "hello", text + "A" * 2000):
        with pytest.raises(RefusedError):
            read_invitation(wrong, NOW_S)


@pytest.mark.parametrize("host", ["a b", "x\ninclude_dir /", "", "h" * 121, "a;b"])
def test_an_address_that_would_write_its_own_configuration_is_refused(host: str) -> None:
    text = invitation_text(ME, msgspec.structs.replace(INVITATION, host=host))
    with pytest.raises(RefusedError):
        read_invitation(text, NOW_S)


# ---- topics and the bridge -------------------------------------------------------------------------------------------


def test_topics_of_a_circle_are_never_a_body_s() -> None:
    topics = CircleTopics(CIRCLE, ME.household)
    for pattern, _ in crossing(topics):
        assert pattern.startswith(f"somnisphere-circle/{CIRCLE}/")
    assert topics.place("somnisphere/bedside/heart") is None
    assert topics.place(f"somnisphere-circle/{CIRCLE}/offer/a/b/c") is None


def test_the_configuration_carries_exactly_the_topics_in_their_directions() -> None:
    topics = CircleTopics(CIRCLE, ME.household)
    text = bridge_configuration(topics, "::1", 8883, tls=True)
    lines = [line for line in text.splitlines() if line.startswith("topic ")]
    assert lines == [f"topic {pattern} {direction} 1" for pattern, direction in crossing(topics)]
    assert "address [::1]:8883" in text
    assert "bridge_insecure false" in text
    assert "bridge_protocol_version mqttv50" in text
    assert "notifications_local_only true" in text
    access = access_list(topics, (ME.household,)).splitlines()
    assert access[2] == f"user circle-{ME.household}"
    assert f"topic write {topics.base}/offer/{ME.household}/+" in access
    assert f"topic read {topics.base}/offer/+/+" in access
    assert not any("#" in line for line in access[1:])


def test_no_message_has_room_for_a_count_or_a_rating() -> None:
    assert set(Offer.__struct_fields__) == {
        *("circle", "title", "teller", "language", "licence", "ages", "sha256", "size_bytes", "piece_bytes"),
        *("pieces_sha256", "cover", "voices", "created"),
    }
