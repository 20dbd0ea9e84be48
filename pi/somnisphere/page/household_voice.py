"""The household's voice for the page: what it tells here is kept where the shelf's words are kept."""

from pathlib import Path

from somnisphere.config import cache_place
from somnisphere.errors import UserError
from somnisphere.page.house import House
from somnisphere.telling import SPOKEN
from somnisphere.telling.household import HouseholdTeller


def teller_of(house: House) -> HouseholdTeller:
    from somnisphere.assemble import home_speech  # what is behind it is only wanted by whoever listens

    try:
        speech = home_speech(house.config)
    except UserError:
        speech = None  # no token: the next voice tells it
    return HouseholdTeller(house.config.voice, Path(house.config.stories.cache or cache_place()) / SPOKEN, speech)
