"""What the product says and answers over MQTT, as schemas: beside the entities, all that ``asyncapi.json`` tells."""

from typing import Any

from somnisphere import __version__
from somnisphere.answers import QUESTIONS
from somnisphere.cli import NOT_MEDICAL
from somnisphere.entities import ENTITIES
from somnisphere.entities_house import SOMETIMES
from somnisphere.events import MOMENTS
from somnisphere.night import STAGES
from somnisphere_home.asyncapi import document
from somnisphere_home.channels import Channel, HomeApi, channels_of
from somnisphere_home.json_schema import NUMBER, SECONDS, TEXT, TIME, Schema, or_null, record

MOMENT = record(
    {
        "event_type": {"type": "string", "enum": list(MOMENTS)},
        "night_id": or_null({"type": "string", "description": "The evening's date; one for all moments of a night."}),
        "at": TIME,
        "confidence": or_null({"type": "number", "minimum": 0, "maximum": 1, "description": "How sure the box is."}),
        "latency_s": {"type": "integer", "minimum": 0, "description": "How long after `at` it is said."},
        "sleeper": {"type": "string", "description": "sleeper.name, where the household gave one."},
    },
    optional=("sleeper",),
)

STORY = record(
    {
        "key": TEXT,
        "title": TEXT,
        "teller": TEXT,
        "language": TEXT,
        "duration_s": or_null(SECONDS),
        "bookmark_s": or_null(SECONDS),
        "listeners": {"type": "array", "items": TEXT},
    }
)
STORIES: Schema = {"type": "array", "items": STORY}

_RANGE = record({"about": NUMBER, "low": NUMBER, "high": NUMBER})
_TIME_RANGE = record({"about": TIME, "low": or_null(TIME), "high": or_null(TIME)})

NIGHT = record(
    {
        "night": TEXT,
        "in_bed": or_null(TIME),
        "fell_asleep": or_null(_TIME_RANGE),
        "woke_up": or_null(_TIME_RANGE),
        "left_bed": or_null(TIME),
        "onset_latency_min": or_null(_RANGE),
        "total_sleep_min": _RANGE,
        "waso_min": _RANGE,
        "awakenings": _RANGE,
        "stage_min": record({stage.value: _RANGE for stage in STAGES}),
        "recorded_min": NUMBER,
        "not_told_min": NUMBER,
        "ranges": TEXT,
        "note": TEXT,
    }
)

ANSWERS: dict[str, Schema] = {
    "shelf": record({"stories": STORIES}),
    "cover": record({"content_type": TEXT, "data": {"type": "string", "contentEncoding": "base64"}}),
    "nights": record(
        {
            "nights": {"type": "array", "items": TEXT},
            "sealed": {"type": "array", "items": TEXT, "description": "Those of them that wait to be told."},
        }
    ),
    "night": NIGHT,
    "add_story": record({"key": TEXT}),
    "play": record({}),
    "seek": record({}),
}

SHELF = record({"stories": STORIES, "left_out": {"type": "integer", "minimum": 0}})
SCAN = record({"card": TEXT, "at": TIME, "story": TEXT}, optional=("story",))

API = HomeApi(QUESTIONS, ANSWERS, MOMENT, SHELF, SCAN, SOMETIMES)


def channels() -> list[Channel]:
    return channels_of(ENTITIES, API)


def asyncapi() -> dict[str, Any]:
    about = f"What a bedside says to its household, and what it obeys. {NOT_MEDICAL}"
    return document(channels(), __version__, about)
