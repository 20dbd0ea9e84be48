"""What a broker drops without a word is noticed: our own words must come back."""

import pytest

from somnisphere_home.echo import AGAIN_S, MOST_WAITING, PATIENCE_S, SILENCE_S, Echo, matches
from somnisphere_home.messages import Message, Topics

TOPICS = Topics("bedside")
STATUS, VITALS = Message(TOPICS.status, b"online", retain=True, qos=1), Message(TOPICS.state("vitals"), b"{}")
PROBE = TOPICS.command("echo")
MEND = "Mend its access list: deploy/broker/new-box.sh bedside"


def connected(*said: Message) -> Echo:
    echo = Echo(TOPICS, (TOPICS.quiet_of("+"),))
    assert [message.topic for message in echo.connected(0.0)] == [PROBE]
    for message in said:
        echo.said(message, 0.0)
    return echo


def test_all_that_comes_back_is_no_problem() -> None:
    echo = connected(STATUS, VITALS)
    for topic in (PROBE, STATUS.topic, VITALS.topic):
        assert echo.heard(topic, retained=False)
    assert echo.problem(10 * SILENCE_S) == ""
    assert echo.news(10 * SILENCE_S) is None


def test_a_word_that_others_overtook_is_lost_and_found_again_when_the_list_was_mended() -> None:
    echo = connected(STATUS, VITALS)
    echo.heard(PROBE, retained=False)
    echo.heard(STATUS.topic, retained=False)
    assert echo.news(PATIENCE_S) is None, "a slow broker is no wrong access list"
    said = f"The MQTT broker drops what this box says on somnisphere/bedside/vitals. {MEND}"
    assert echo.news(PATIENCE_S + 1) == said
    assert echo.news(PATIENCE_S + 2) is None, "said once"
    echo.said(VITALS, PATIENCE_S + 3)
    echo.heard(VITALS.topic, retained=False)
    assert echo.news(PATIENCE_S + 3) == ""


def test_a_broker_that_is_silent_altogether_has_longer() -> None:
    """Half of a connection is noticed by the link, which says so better."""
    echo = connected(STATUS, VITALS)
    assert echo.problem(SILENCE_S) == ""
    assert echo.problem(SILENCE_S + 1) == (
        "The MQTT broker drops what this box says on somnisphere/bedside/status and on 1 more topics and does not hand"
        f" over what is said on somnisphere/bedside/+/set. {MEND}"
    )
    echo.disconnected()
    assert echo.problem(SILENCE_S + 1) == ""
    assert echo.news(SILENCE_S + 1) is None
    echo.connected(SILENCE_S + 2)
    assert echo.problem(SILENCE_S + 2) == "", "it may have been mended"


def test_what_the_broker_kept_proves_nothing() -> None:
    echo = connected(STATUS)
    echo.heard(PROBE, retained=False)
    assert echo.heard(STATUS.topic, retained=True), "of ourselves all the same"
    assert TOPICS.status in echo.problem(SILENCE_S + 1)


def test_commands_that_do_not_arrive_are_noticed() -> None:
    echo = connected(STATUS)
    echo.heard(STATUS.topic, retained=False)
    said = echo.problem(PATIENCE_S + 1)
    assert said == f"The MQTT broker does not hand over what is said on somnisphere/bedside/+/set. {MEND}"


def test_ears_that_were_mended_are_found_out() -> None:
    echo = connected(STATUS)
    echo.heard(STATUS.topic, retained=False)
    assert echo.news(PATIENCE_S + 1)
    assert echo.again(AGAIN_S - 1) == []
    (probe,) = echo.again(AGAIN_S)
    assert echo.again(AGAIN_S + 1) == []
    assert echo.heard(probe.topic, retained=False)
    assert echo.news(AGAIN_S + 2) == ""
    assert echo.again(3 * AGAIN_S) == []


def test_what_the_broker_forbids_in_words_is_a_problem_at_once() -> None:
    echo = connected()
    echo.heard(PROBE, retained=False)
    echo.forbidden("read", TOPICS.commands)
    echo.forbidden("write", TOPICS.discovery)
    assert echo.news(1.0) == (
        "The MQTT broker drops what this box says on homeassistant/device/somnisphere_bedside/config and does not hand"
        f" over what is said on somnisphere/bedside/+/set. {MEND}"
    )


def test_a_broker_that_does_not_let_us_hear_ourselves_is_not_judged() -> None:
    echo = connected(STATUS, VITALS)
    for pattern in echo.subscriptions:
        echo.forbidden("read", pattern)
    echo.said(Message(TOPICS.state("box"), b"{}"), 1.0)
    echo.heard(PROBE, retained=False)
    assert echo.problem(10 * SILENCE_S) == ""


def test_the_words_of_others_pass() -> None:
    echo = connected()
    passed = (TOPICS.command("begin"), "somnisphere/bedside/ask/night", TOPICS.birth, TOPICS.quiet_of("nursery"))
    assert not any(echo.heard(topic, retained=False) for topic in passed)


def test_the_own_word_in_the_house_is_listened_for_and_answers_are_not() -> None:
    echo = connected(Message(TOPICS.quiet_of("bedside"), b"ON"), Message(TOPICS.ask_result("night"), b"{}"))
    for number in range(MOST_WAITING):  # a flood of topics stays bounded
        echo.said(Message(TOPICS.state(f"group{number}"), b"{}"), 1.0)
    echo.heard(PROBE, retained=False)
    said = echo.problem(SILENCE_S + 2)
    assert "house/quiet/bedside" in said or f"on {MOST_WAITING - 2} more topics" in said
    assert "ask/night" not in said


@pytest.mark.parametrize(
    ("pattern", "topic", "does"),
    [
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/+/set", "a/b/set", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "b/a", False),
        ("a/b", "a/b", True),
    ],
)
def test_subscriptions_and_topics(pattern: str, topic: str, does: bool) -> None:
    assert matches(pattern, topic) is does


def test_no_command_would_arrive_twice() -> None:
    """Brokers may hand a message over once for each subscription that takes it in."""
    command, question = TOPICS.command("begin"), "somnisphere/bedside/ask/night"
    assert not any(matches(pattern, topic) for pattern in Echo(TOPICS).subscriptions for topic in (command, question))


def test_without_a_bedside_it_listens_to_nothing_and_finds_nothing() -> None:
    echo = Echo()
    assert (echo.subscriptions, echo.connected(0.0)) == ((), [])
    echo.said(STATUS, 0.0)
    assert not echo.heard(STATUS.topic, retained=False)
    assert (echo.problem(1e6), echo.news(1e6), echo.again(1e6)) == ("", None, [])
