"""Texts: their sentences, their Markdown and their heads."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from somnisphere.library import read, scan_books
from somnisphere.library.broken import Broken
from somnisphere.library.plain_text import plain
from somnisphere.library.sentences import LONGEST, spans, split
from somnisphere.story import Book


def texts(text: str, language: str = "") -> list[str]:
    return [sentence.text for sentence in split(text, language)]


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        ("en", ["Mr. Fox met Dr. Owl.", "“Good evening!” said the owl.", "Then he slept."]),
        ("en", ["So did I.", "Then J. R. R. came by.", "It was 5 p.m. and dark…", "Or was it?"]),
        ("en", ["He waited ... and waited.", "Nothing.", "(Not a sound.)", "“Hm?”", "“Yes.”"]),
        ("en", ["It cost 3.50 in No. 7 at example.com today.", "Good."]),
        ("de", ["Am 3. Mai kam z.B. Herr Dr. Maus.", "„Guten Abend!“", "»Wer da?«", "Niemand."]),
        ("fr", ["« Bonjour ! » dit-il.", "« Qui est là ? »", "M. Loup, p.ex. le soir."]),
        ("es", ["¿Quién eres?", "¡Soy yo!", "La Sra. Luna duerme."]),
        ("he", ["שלום לכם.", "מי שם?", "הדוב ישן…", "לילה טוב!"]),
        ("ar", ["كان يا ما كان.", "من هناك؟", "نام الدب!"]),
        ("ru", ["Г. Волк спит.", "«Кто там?»", "Никого."]),
        ("hi", ["एक था भालू।", "वह सो गया।"]),
    ],
)
def test_sentences_of_many_languages(language: str, sentences: list[str]) -> None:
    assert texts(" ".join(sentences), language) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["昔々、ある所に鯨がいました。", "とても眠い鯨です！", "「おはよう。」と言った。", "「誰？」", "「僕だよ。」"],
        ["从前有一只熊。", "“你好。”他说。", "他睡了……", "晚安！"],
    ],
)
def test_sentences_without_spaces(sentences: list[str]) -> None:
    joined = "".join(sentences).replace("……晚安", "……\n晚安")
    assert texts(joined) == sentences


def test_ids_paragraphs_and_broken_lines() -> None:
    found = split("One\nline. Two.\n\n  \nThree\r\nmore", first=4)
    assert [(one.id, one.text, one.ends_paragraph) for one in found] == [
        ("s4", "One line.", False),
        ("s5", "Two.", True),
        ("s6", "Three more", True),
    ]
    assert texts("鯨が\n眠い。") == ["鯨が眠い。"], "lines of Japanese are joined without a space"


def test_a_text_without_endings_is_cut_where_it_can_be() -> None:
    found = texts("and then, " * 300)
    assert all(len(one) <= LONGEST for one in found)
    assert all(one.endswith(",") for one in found)
    assert " ".join(found).split() == ("and then, " * 300).split()
    assert len(texts("鯨" * 2000)) == 4


HARD = ("\n" * 200_000, "\n  " * 100_000, "a. " * 500_000, "! " * 500_000, "a. b. " * 300_000, "." * 200_000)


@pytest.mark.parametrize("hard", [*HARD, "«»" * 100_000, " " * 300_000 + "a"])
@pytest.mark.timeout(20)
def test_long_and_odd_texts_are_split_in_time(hard: str) -> None:
    assert "".join("".join(texts(hard)).split()) == "".join(hard.split())


MESSY = st.text(
    alphabet=st.one_of(
        st.sampled_from(list(".!?…。！？؟ \n\n\n\t\u00a0\"'“”«»「」()[]-—,;IMrzB3aä鯨あمש")),
        st.characters(codec="utf-8"),
    ),
    max_size=400,
)


@given(MESSY, st.sampled_from(["", "en", "de", "ja", "he"]))
@example("A.B. C", "en")
@example("..", "")
@example("「。」。", "ja")
def test_nothing_is_lost_and_nothing_added(text: str, language: str) -> None:
    """What is not white space stands in the sentences as in the text; a space is only ever lost between two signs of
    writing without spaces."""
    found = split(text, language)
    assert "".join("".join(one.text for one in found).split()) == "".join(text.split())
    assert [one.id for one in found] == [f"s{n}" for n in range(1, len(found) + 1)]
    assert all(one.text and one.text == " ".join(one.text.split()) and len(one.text) <= LONGEST for one in found)
    if found:
        assert found[-1].ends_paragraph
    at = 0
    for span in spans(text, language):
        assert at <= span.begin < span.end
        assert not text[at : span.begin].strip()
        at = span.end
    assert not text[at:].strip()


@given(st.lists(st.text(alphabet="abcdefgh .!?,IM\n", min_size=1, max_size=60), max_size=6))
def test_words_stay_whole(parts: list[str]) -> None:
    text = "\n\n".join(parts)
    assert " ".join(texts(text, "en")).split() == text.split()


def test_markdown_becomes_its_words() -> None:
    head: dict[str, str] = {}
    body = plain(
        "# The *quiet* boat\n\nOnce **there** was_a_boat, _small_ and ~~red~~ [blue](http://x/y 'z').\n"
        "> It `sailed` &amp; slept.[^1]\n\n***\n\n- one\n- two\n1. three\n\n![a boat](boat.png)\n"
        "<!-- nobody\nreads this -->Snake\\_case and 2 * 3 * 4.\n\nHeading\n=======\n\n```\ncode\n```\n\n[x]: http://y\n",
        head,
    )
    assert head == {"title": "The quiet boat"}
    assert texts(body, "en") == [
        "Once there was_a_boat, small and red blue.",
        "It sailed & slept.",
        "one",
        "two",
        "three",
        "Snake_case and 2 * 3 * 4.",
        "Heading",
        "code",
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "hard", ["*a " * 60_000, "[" * 200_000, "<!--" * 50_000, "`" * 100_000, "_x" * 100_000, "> " * 90_000]
)
def test_hard_markdown_is_read_in_time(hard: str) -> None:
    plain(hard + "end")


def write(folder: Path, name: str, data: bytes | str) -> Book | Broken:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read(path, folder, folder / ".cache")


def test_a_text_with_a_head(tmp_path: Path) -> None:
    head = "---\ntitle: 'Der Wal: müde'\nteller: Oma\nlanguage: de_DE\nlicence: CC0-1.0\nages: 4+\n# mine\n---\n"
    book = write(tmp_path, "x.md", f"\ufeff{head}\nEs war ein Wal. Er schlief.\n")
    assert isinstance(book, Book)
    assert (book.title, book.teller, book.language) == ("Der Wal: müde", "Oma", "de-DE")
    assert (book.licence, book.ages, book.recordings) == ("CC0-1.0", "4+", ())
    assert [one.text for one in book.sentences] == ["Es war ein Wal.", "Er schlief."]


@pytest.mark.parametrize("data", ["Once.\r\rTwice. *Not* marked.", "Once.\n\nTwice. *Not* marked.".encode("utf-16")])
def test_plain_texts_of_other_systems(tmp_path: Path, data: bytes | str) -> None:
    book = write(tmp_path, "the_old-text.txt", data)
    assert isinstance(book, Book)
    assert book.title == "the old text"
    assert [one.text for one in book.sentences] == ["Once.", "Twice.", "*Not* marked."]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"  \n\n", "has no words"),
        (b"Once\nupon a t\xefme", "x.md, line 2: this is not text in UTF-8. Save it as UTF-8."),
        (b"Once\n\n\0\0", "x.md, line 3: this is not text"),
        (b"---\ntitle: x\n\nOnce there was", "x.md, line 4: expected `key: value`"),
        (b"---\ntitle: x\n", "x.md, line 1: the head begun by --- does not end"),
        (b"a" * 10_000_001, "longer than 10 MB"),
    ],
)
def test_texts_that_are_broken_say_where(tmp_path: Path, data: bytes, said: str) -> None:
    found = write(tmp_path, "x.md", data)
    assert isinstance(found, Broken)
    assert said in found.reason
    assert found.reason.endswith(".")


@pytest.mark.parametrize("end", ["*** END OF THE PROJECT GUTENBERG EBOOK X ***\nLicence.", ""])
def test_only_the_story_of_a_framed_text_is_told(tmp_path: Path, end: str) -> None:
    frame = "The Project Gutenberg eBook of X\n\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n"
    book = write(tmp_path, "x.txt", f"{frame}Once there was a whale.\n\n{end}")
    assert isinstance(book, Book)
    assert [one.text for one in book.sentences] == ["Once there was a whale."]


def test_a_rule_at_the_top_is_no_head(tmp_path: Path) -> None:
    book = write(tmp_path, "x.md", "---\n\nOnce there was a whale.\n")
    assert isinstance(book, Book)
    assert [one.text for one in book.sentences] == ["Once there was a whale."]


def test_texts_for_the_keeper_of_the_folder_are_no_stories(tmp_path: Path) -> None:
    write(tmp_path, "README.md", "How to put stories here.")
    write(tmp_path, "LICENSE.txt", "All.")
    write(tmp_path, "tale.txt", "Once.")
    write(tmp_path, ".hidden.txt", "Once.")
    books, broken = scan_books(tmp_path, tmp_path / ".cache")
    assert broken == []
    assert [book.key for book in books] == ["tale.txt"]


def test_links_that_go_round_end(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "up").symlink_to(tmp_path)
    write(tmp_path / "deep", "tale.txt", "Once.")
    books, broken = scan_books(tmp_path, tmp_path / ".cache")
    assert ([book.key for book in books], broken) == (["deep/tale.txt"], [])
