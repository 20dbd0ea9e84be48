"""The circle's process, put together from a configuration."""

from dataclasses import replace

from somnisphere.broker import broker_settings
from somnisphere.circle.desk import Desk
from somnisphere.circle.runner import CircleRunner
from somnisphere.circle.topics import CircleTopics
from somnisphere.config import Config
from somnisphere_home.messages import OFFLINE, Message
from somnisphere_home.mqtt import HomeLink


def circle_runner(desk: Desk, config: Config) -> CircleRunner:
    """``UserError`` when the household is in no circle or its key is gone."""
    known, identity = desk.known, desk.identity()
    topics = CircleTopics(known.circle.id, identity.household)
    settings = broker_settings(config)
    settings = replace(settings, client_id=f"{settings.client_id}_circle")
    if port := config.circle.own_broker_port:
        settings = replace(settings, host="localhost", port=port, username=None, password=None, tls=False)
    will = Message(topics.here, OFFLINE, retain=True, qos=1)
    return CircleRunner(
        desk.store,
        known,
        identity,
        desk.folders,
        lambda put: HomeLink(settings, will, put),
        bytes_per_s=config.circle.kilobytes_per_s * 1000,
    )
