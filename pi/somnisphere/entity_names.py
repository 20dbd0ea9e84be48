"""What entities are called in other languages than English. States keep their words: scripts depend on them."""

from collections.abc import Iterable
from dataclasses import replace

from somnisphere.snapshot import Snapshot
from somnisphere_home.entity import Entity

GERMAN = {
    "sleep_stage": "Schlafphase",
    "asleep": "Schläft",
    "heart_rate": "Puls",
    "breathing_rate": "Atemzüge",
    "oxygen": "Sauerstoff",
    "movement": "Bewegung",
    "signal_quality": "Signalgüte",
    "in_bed": "Im Bett",
    "worn": "Hautkontakt",
    "phase": "Abschnitt des Abends",
    "sleep_moment": "Moment",
    "begin": "Abend beginnen",
    "stop": "Abend beenden",
    "one_more_page": "Noch eine Seite",
    "pause": "Pause",
    "resume": "Weiter",
    "lamp": "Lampe",
    "listener": "Wer zuhört",
    "start_over": "Von vorn",
    "other_place": "Andere Stelle",
    "follow_sleep": "Folgt dem Schlaf",
    "story": "Geschichte",
    "story_cover": "Titelbild",
    "story_playing": "Geschichte läuft",
    "story_position": "Stelle der Geschichte",
    "volume": "Lautstärke",
    "fade_time": "Ausblenden",
    "night": "Nacht",
    "went_to_bed": "Ins Bett gegangen",
    "fell_asleep": "Eingeschlafen",
    "woke_up": "Aufgewacht",
    "left_bed": "Aufgestanden",
    "last_in_bed": "Zuletzt ins Bett",
    "last_lights_down": "Zuletzt Licht sank",
    "last_story_began": "Zuletzt Geschichte",
    "last_drifting": "Zuletzt weggedöst",
    "last_fell_asleep": "Zuletzt geschlafen",
    "last_stirred": "Zuletzt geregt",
    "last_distress": "Zuletzt unruhig",
    "last_quiet_word": "Zuletzt leise gerufen",
    "last_woke_up": "Zuletzt aufgewacht",
    "last_left_bed": "Zuletzt auf",
    "last_morning": "Zuletzt Morgen",
    "someone_up": "Jemand ist auf",
    "bedroom_dark": "Schlafzimmer dunkel",
    "house_quiet": "Jemand schläft",
    "sensor_problem": "Sensorproblem",
    "sensing": "Messen",
    "started": "Gestartet",
    "version": "Version",
    "machine": "Rechner",
    "disk_free": "Platz frei",
    "memory": "Arbeitsspeicher",
    "cpu": "Prozessor",
    "last_published": "Zuletzt gemeldet",
    "sensor_errors": "Sensorfehler",
    "samples_lost": "Verlorene Werte",
    "blocks_dropped": "Verworfene Blöcke",
    "update": "Neue Fassung",
}

_NAMES = {"de": GERMAN}

SLEEPERS_KEYS = frozenset(
    [
        "sleep_stage",
        "asleep",
        "heart_rate",
        "breathing_rate",
        "oxygen",
        "movement",
        "signal_quality",
        "in_bed",
        "worn",
        "sleep_moment",
        "night",
        "went_to_bed",
        "fell_asleep",
        "woke_up",
        "left_bed",
    ]
)
"""What is of the person: shown on the sleeper's own device where the household named one. Moments' times too."""


def named(entities: Iterable[Entity[Snapshot]], language: str) -> list[Entity[Snapshot]]:
    names = _NAMES.get(language)
    return [entity if names is None else replace(entity, name=names[entity.key]) for entity in entities]


def is_the_sleepers(key: str) -> bool:
    return key in SLEEPERS_KEYS or (key.startswith("last_") and key != "last_published")
