"""Why a broker is not to be had, in words for a person. Pure."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreachable:
    """``is_news``: worth saying although the broker is known to be away."""

    reason: str
    is_news: bool = False


def unreachable(place: str, problem: BaseException | None) -> Unreachable:
    """No connection came about. A certificate that proves nothing is no silence: somebody else may answer."""
    match problem:
        case ssl.SSLCertVerificationError():
            why = str(problem.verify_message or problem).rstrip(".")
            mend = "check mqtt.ca_file, the name in mqtt.host, the clock, and when the certificate ends"
            return Unreachable(f"{place} does not prove to be ours: {why} ({mend})", is_news=True)
        case ssl.SSLError(reason=str()):
            return Unreachable(f"{place} speaks no TLS: {problem.reason} (check mqtt.port)", is_news=True)
        case ConnectionResetError() | ssl.SSLError():
            return Unreachable(f"{place} hangs up on TLS (check mqtt.port)", is_news=True)
        case _:
            return Unreachable(f"nothing answers at {place}")


def hint(reason_name: str, client_id: str) -> str:
    """What to look at, for a refusal in MQTT's own words."""
    match reason_name:
        case "Not authorized" | "Bad user name or password":
            return " (check the user name and password)"
        case "Session taken over":
            return f" (another client calls itself {client_id!r} too)"
        case _:
            return ""
