"""What is due to go to a coach's broker: daily a summary of each consent in force, at once that one is no more. Pure.

Said daily, for a message may get lost with a broker; the same summary twice is one. A withdrawal is retained by the
broker until the consent would have ended, so that a collector that is away learns of it when it comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from somnisphere.coach.consent import Consent
from somnisphere.coach.summary import AskedForAWord, Summary, Withdrawn, encode, topic
from somnisphere_home.messages import Message

DAY_S = 86_400
SUMMARY_KEEPS_S = 7 * DAY_S
"""Older than this no broker hands a summary on."""


@dataclass(frozen=True, slots=True)
class KeptConsent:
    """``told_at_s``: when the coach's broker had heard that it was taken back. ``said_on``: the day of the last summary
    that it had; None: there is something to say."""

    consent: Consent
    given_at_s: float
    withdrawn_at_s: float | None
    told_at_s: float | None
    said_on: date | None
    word: AskedForAWord | None


@dataclass(frozen=True, slots=True)
class Say:
    consent: Consent
    word: AskedForAWord | None


@dataclass(frozen=True, slots=True)
class TakeBack:
    consent: Consent


def due(kept: Sequence[KeptConsent], today: date) -> list[Say | TakeBack]:
    """Withdrawals first. A consent that merely ended is not mentioned: each collector knows its last day."""
    gone = [
        TakeBack(one.consent)
        for one in kept
        if one.consent.withdrawn_on is not None and one.told_at_s is None and today <= one.consent.until
    ]
    return gone + [Say(one.consent, one.word) for one in kept if one.consent.allows(today) and one.said_on != today]


def summary_message(summary: Summary, coach: str) -> Message:
    return Message(topic(summary, coach), encode(summary), qos=1, expiry_s=SUMMARY_KEEPS_S)


def withdrawn_message(consent: Consent, today: date) -> Message:
    gone = Withdrawn(consent.id, consent.until.isoformat())
    keeps_s = ((consent.until - today).days + 2) * DAY_S
    return Message(topic(gone, consent.coach), encode(gone), retain=True, qos=1, expiry_s=keeps_s)
