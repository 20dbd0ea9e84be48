"""Home Assistant, where its interface is asked: is it there, does it know what the configuration names, and us; and is
its time ours."""

import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from somnisphere.broker import secret, topics_of
from somnisphere.config import Config, ConfigError
from somnisphere.doctor.clock import zone, zone_name
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.service import daemon_runs
from somnisphere.doctor.world import THIS_MACHINE, World

if TYPE_CHECKING:
    from somnisphere_home.rest import HomeAssistantClient

HALF_A_YEAR = timedelta(days=182)


def check_home_assistant(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    home = config.home_assistant
    if home.url is None:
        return
    from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable

    try:
        token = secret(home.token_file, "home_assistant.token_file")
    except ConfigError as problem:
        yield Finding("home", False, str(problem), "correct this key, or look as the user who runs it, or with sudo")
        return
    if trouble := _at_the_door(home.url, world.knock_s):
        yield Finding(
            "home", False, trouble, "correct home_assistant.url; without it all but questions to the home works"
        )
        return
    client = HomeAssistantClient(home.url, token, timeout_s=world.knock_s)
    try:
        answer = client.configuration()
        if isinstance(answer, HomeUnreachable | HomeRefused):
            key = "token_file" if isinstance(answer, HomeRefused) else "url"
            mend = f"correct home_assistant.{key}; without it all but questions to the home works"
            yield Finding("home", False, answer.reason, mend)
            return
        yield Finding("home", True, f"{home.url} answers, Home Assistant {answer.get('version', '?')}")
        yield from _named(config, client)
        yield from _same_time(answer, world)
        if config.mqtt.discovery != "off" and daemon_runs(world):
            yield from _discovered(config, client)
    finally:
        client.close()


def _at_the_door(url: str, knock_s: float) -> str:
    """Why nobody can be asked there, "" when somebody opens."""
    try:
        place = urlsplit(url)
        host, port = place.hostname or "", place.port or (443 if place.scheme == "https" else 80)
    except ValueError as problem:
        return f"{url} is no address: {problem}"
    try:
        socket.create_connection((host, port), timeout=knock_s).close()
    except socket.gaierror:
        return f"no machine is called {host} here"
    except ConnectionRefusedError:
        return f"nothing listens at {host}:{port}"
    except TimeoutError:
        return f"{host}:{port} does not answer"
    except OSError as problem:
        return f"{host}:{port} cannot be reached: {problem.strerror or problem}"
    return ""


def _named(config: Config, client: "HomeAssistantClient") -> Iterator[Finding]:
    for entity in named_in_the_home(config):
        if client.attributes(entity) is None:
            mend = "correct it in the configuration"
            yield Finding("home entity", False, f"there is no {entity} in Home Assistant", mend)


def named_in_the_home(config: Config) -> list[str]:
    """Every entity of Home Assistant's that the configuration names."""
    named = (config.speaker.home_player, config.lamp.home_light, config.voice.home_engine)
    return [entity for entity in dict.fromkeys((*named, *config.home_questions.entity_ids)) if entity]


def _same_time(answer: Mapping[str, Any], world: World) -> Iterator[Finding]:
    """Two names of one time are no difference: the hands of both clocks are compared, now and in the other season."""
    name, own = str(answer.get("time_zone", "")), zone_name(world) or "UTC"
    theirs, ours = zone(name), zone(own) or UTC
    now = datetime.fromtimestamp(world.wall_s(), UTC)
    moments = (now, now + HALF_A_YEAR)
    if theirs and any(when.astimezone(theirs).utcoffset() != when.astimezone(ours).utcoffset() for when in moments):
        verdict = f"Home Assistant lives in {name}, this box in {own}"
        yield Finding("time zone", False, verdict, f"sudo timedatectl set-timezone {name}, then restart the daemon")


def _discovered(config: Config, client: "HomeAssistantClient") -> Iterator[Finding]:
    device = topics_of(config).device_id
    count = client.rendered(
        "{% set seen = namespace(count=0) %}{% for entity in integration_entities('mqtt') %}"
        f"{{% if ('mqtt', '{device}') in (device_attr(entity, 'identifiers') or []) %}}"
        "{% set seen.count = seen.count + 1 %}{% endif %}{% endfor %}{{ seen.count }}"
    )
    if not isinstance(count, str) or not count.strip().isdecimal():
        return  # the token is of somebody who may not ask so
    if int(count) == 0:
        mend = "set up its MQTT integration with the same broker, and the same prefix as mqtt.discovery_prefix"
        yield Finding("discovery", False, f"Home Assistant has no entity of {device}, though the daemon runs", mend)
    else:
        yield Finding("discovery", True, f"Home Assistant has {int(count)} entities of this box")
