"""Every topic of a circle. None begins with ``somnisphere/``, so no filter of a circle can take in a body's state."""

from dataclasses import dataclass

ROOT = "somnisphere-circle"


@dataclass(frozen=True, slots=True)
class Place:
    """What a topic says: its kind, and the two names behind it."""

    kind: str
    first: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class CircleTopics:
    """``circle`` and ``household`` are names of five words."""

    circle: str
    household: str

    @property
    def base(self) -> str:
        return f"{ROOT}/{self.circle}"

    def member(self, household: str) -> str:
        """A household's card, retained."""
        return f"{self.base}/member/{household}"

    def offer(self, household: str, sha256: str) -> str:
        """An offer, retained; empty when it is withdrawn."""
        return f"{self.base}/offer/{household}/{sha256}"

    def take_back(self, household: str, sha256: str) -> str:
        """That an offer was taken back, retained for ever."""
        return f"{self.base}/take_back/{household}/{sha256}"

    def ask(self, to: str) -> str:
        """We ask another household for pieces."""
        return f"{self.base}/ask/{to}/{self.household}"

    def piece(self, to: str) -> str:
        """We send another household a piece."""
        return f"{self.base}/piece/{to}/{self.household}"

    @property
    def here(self) -> str:
        """Whether this household's process runs, retained on its own broker; it crosses no bridge."""
        return f"{self.base}/here/{self.household}"

    @property
    def bridge(self) -> str:
        """1 while our broker reaches the others', 0 while not; said by mosquitto itself, and crosses no bridge."""
        return f"{self.base}/bridge/{self.household}"

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What the household's own process takes in. Cards before offers: a stranger's offer is not kept."""
        return (
            self.bridge,
            f"{self.base}/member/+",
            f"{self.base}/take_back/+/+",
            f"{self.base}/offer/+/+",
            f"{self.base}/ask/{self.household}/+",
            f"{self.base}/piece/{self.household}/+",
        )

    def place(self, topic: str) -> Place | None:
        """What a topic of this circle says, None for any other."""
        if not topic.startswith(self.base + "/"):
            return None
        match topic.removeprefix(self.base + "/").split("/"):
            case [("member" | "bridge") as kind, household]:
                return Place(kind, household)
            case [("offer" | "take_back" | "ask" | "piece") as kind, first, second]:
                return Place(kind, first, second)
        return None
