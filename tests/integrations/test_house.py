"""Quiet while anybody sleeps: several bedsides in one house."""

from somnisphere_home.house import EXPIRY_S, MOST_BEDSIDES, SAY_AGAIN_S, House
from somnisphere_home.messages import Topics


class Broker:
    """Hands every message to every bedside and keeps what is retained."""

    def __init__(self, *nodes: str) -> None:
        self.kept: dict[str, bytes] = {}
        self.houses = {node: House(Topics(node)) for node in nodes}
        self.asleep = dict.fromkeys(nodes, False)
        self.sent = 0

    def go_on(self, at_s: float, *present: str) -> None:
        for node in present or self.houses:
            for message in self.houses[node].update(self.asleep[node], at_s):
                self.sent += 1
                assert message.retain
                self.kept[message.topic] = message.payload
                for house in self.houses.values():
                    house.heard(message.topic, message.payload, at_s)

    @property
    def quiet(self) -> bytes:
        return self.kept["somnisphere/house/quiet"]


def test_the_house_is_quiet_while_anybody_sleeps() -> None:
    house = Broker("ada", "ben")
    house.go_on(0.0)
    house.go_on(5.0)
    assert house.quiet == b"OFF"
    house.asleep["ada"] = True
    house.go_on(10.0)
    assert house.quiet == b"ON"
    assert all(one.quiet for one in house.houses.values())
    house.asleep["ben"] = True
    house.go_on(15.0)
    house.asleep["ada"] = False
    house.go_on(20.0)
    assert house.quiet == b"ON", "Ben still sleeps"
    house.asleep["ben"] = False
    house.go_on(25.0)
    house.go_on(30.0)
    assert house.quiet == b"OFF"
    assert house.kept["somnisphere/house/quiet/ada"] == b"OFF"


def test_a_bedside_that_vanished_is_forgotten() -> None:
    house = Broker("ada", "ben")
    house.asleep["ada"] = True
    house.go_on(0.0)
    at_s = 0.0
    while at_s < EXPIRY_S + 2 * SAY_AGAIN_S:
        at_s += 5.0
        house.go_on(at_s, "ben")
    assert house.quiet == b"OFF"


def test_nothing_is_said_twice_in_a_row_but_now_and_then() -> None:
    house = Broker("ada")
    for second in range(0, 1200, 5):
        house.go_on(float(second))
    assert house.sent == 2 * 3
    house.houses["ada"].connected()
    house.go_on(1205.0)
    assert house.sent == 2 * 4, "all anew after a connection"


def test_other_topics_and_scraps_are_no_words_of_the_house() -> None:
    house = House(Topics("ada"))
    assert not house.heard("somnisphere/ada/begin/set", b"PRESS", 0.0)
    assert house.heard("somnisphere/house/quiet/ben", b"scrap", 0.0)
    assert not house.quiet
    house.heard("somnisphere/house/quiet/ben", b"ON", 0.0)
    assert house.quiet
    house.heard("somnisphere/house/quiet/ben", b"", 1.0)
    assert not house.quiet
    house.heard("somnisphere/house/quiet/ada", b"ON", 0.0)
    assert not house.quiet, "its own word of an earlier life"


def test_somebody_who_makes_up_bedsides_fills_no_memory() -> None:
    house = House(Topics("ada"))
    for number in range(10 * MOST_BEDSIDES):
        assert house.heard(f"somnisphere/house/quiet/made_up_{number}", b"OFF", 0.0)
    assert len(house._heard) == MOST_BEDSIDES
    house.heard("somnisphere/house/quiet/made_up_3", b"ON", 1.0)
    assert house.quiet, "those that are known are heard on"
    house.update(False, EXPIRY_S + 2.0)
    assert house._heard == {}
