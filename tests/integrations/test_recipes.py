"""The recipes of ``integrations/README.md``: each topic exists, each command is one the box obeys."""

import re
import shlex
from pathlib import Path

from somnisphere.answers import QUESTIONS
from somnisphere.bedtime.phases import Phase
from somnisphere.entities import ENTITIES
from somnisphere.snapshot import Snapshot
from somnisphere_home.commands import Wish, decode
from somnisphere_home.discovery import components
from somnisphere_home.messages import Topics

README = (Path(__file__).resolve().parents[2] / "integrations" / "README.md").read_text()
TOPICS = Topics("bedside")
SNAPSHOT = Snapshot(at_s=0.0, wall_s=0.0, phase=Phase.IDLE, story_titles=("The Snow Queen",))
SCRIPTS = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))


def test_every_command_of_a_recipe_is_obeyed() -> None:
    wishes = []
    for line in SCRIPTS.splitlines():
        words = shlex.split(line) if line.startswith("mosquitto_pub") else []
        if "-m" in words:
            assert "-r" not in words, "a retained command is refused"
            topic, payload = words[words.index("-t") + 1], words[words.index("-m") + 1]
            wish = decode(ENTITIES, SNAPSHOT, TOPICS, topic, payload.encode(), retained=False)
            assert isinstance(wish, Wish), wish
            wishes.append(wish.key)
    assert wishes == ["begin", "stop", "one_more_page", "lamp", "story", "volume"]


def test_every_topic_of_a_recipe_exists() -> None:
    spoken = set(re.findall(r"somnisphere/bedside/[\w/]+", SCRIPTS))
    told = {
        value
        for component in components(ENTITIES, SNAPSHOT, TOPICS).values()
        for key, value in component.items()
        if key.endswith("topic") or key == "topic"
    }
    told |= {TOPICS.asks.replace("+", name) for name in QUESTIONS}
    asked_for = set(re.findall(r" -e (somnisphere/bedside/answers/\w+)", SCRIPTS))
    assert asked_for, "where an answer is to come is the asker's to name, below the box's own topics"
    assert spoken - asked_for - {"somnisphere/bedside/"} <= told
    assert TOPICS.discovery in SCRIPTS


def test_a_value_of_a_recipe_is_in_its_group() -> None:
    ((topic, key),) = re.findall(r"-t (\S+) \| jq --unbuffered '\.(\w+)'", SCRIPTS)
    (entity,) = [entity for entity in ENTITIES if entity.key == key]
    assert TOPICS.state(entity.group) == topic


def test_the_entity_table_has_its_place() -> None:
    assert README.index("<!-- entities -->") < README.index("<!-- /entities -->")
