"""Home Assistant, where its interface is asked."""

from collections.abc import Iterator

from somnisphere.broker import secret
from somnisphere.config import Config, ConfigError
from somnisphere.doctor.finding import Finding


def check_home_assistant(config: Config) -> Iterator[Finding]:
    home = config.home_assistant
    if home.url is None:
        return
    from somnisphere_home.rest import HomeAssistantClient, HomeRefused, HomeUnreachable

    try:
        client = HomeAssistantClient(home.url, secret(home.token_file, "home_assistant.token_file"))
        answer = client.state("zone.home")
        reached = not isinstance(answer, HomeUnreachable | HomeRefused)
        missing = [entity for entity in named_in_the_home(config) if reached and client.attributes(entity) is None]
        client.close()
    except ConfigError as problem:
        yield Finding("home", False, str(problem), "correct this key in the configuration")
        return
    bad = not reached
    mend = "correct home_assistant.url and token_file; without them all but questions to the home works" if bad else ""
    yield Finding("home", not bad, getattr(answer, "reason", f"{home.url} answers"), mend)
    for entity in missing:
        yield Finding("home", False, f"there is no {entity} in Home Assistant", "correct it in the configuration")


def named_in_the_home(config: Config) -> list[str]:
    """Every entity of Home Assistant's that the configuration names."""
    named = (config.speaker.home_player, config.lamp.home_light, config.voice.home_engine)
    return [entity for entity in dict.fromkeys((*named, *config.home_questions.entity_ids)) if entity]
