"""Mosquitto's configuration for a circle: what crosses between two households, and nothing else.

One broker is where the circle meets; every other household's broker reaches out to it. The bridge of a household
carries its own card, offers, questions and pieces out, and the others' in; take-backs go both ways. The access list
for the meeting broker says the same once more, so that a household with a wrong bridge is stopped at the other end.

Mosquitto believes the broker it reaches out to: what that one sends unasked, it takes, on any topic, whatever its own
access lists say (seen with 2.0.11). A broker for the circle alone, on this box, has nothing that could be pressed.
"""

from somnisphere.circle.topics import ROOT, CircleTopics

QOS = 1


def crossing(topics: CircleTopics) -> tuple[tuple[str, str], ...]:
    """(topic filter, in | out | both), as seen from this household."""
    base, me = topics.base, topics.household
    return (
        (f"{base}/member/+", "in"),
        (f"{base}/member/{me}", "out"),
        (f"{base}/offer/+/+", "in"),
        (f"{base}/offer/{me}/+", "out"),
        (f"{base}/take_back/+/+", "both"),
        (f"{base}/ask/{me}/+", "in"),
        (f"{base}/ask/+/{me}", "out"),
        (f"{base}/piece/{me}/+", "in"),
        (f"{base}/piece/+/{me}", "out"),
    )


def bridge_configuration(topics: CircleTopics, host: str, port: int, *, tls: bool, circle_name: str = "") -> str:
    """The part of ``mosquitto.conf`` (a file in ``conf.d``) that joins this household's broker to the meeting one."""
    name = user_name(topics.household)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [
        f"# Somnisphere: the circle {circle_name!r}. Only the topics below cross; none of them is of the night.",
        "# Put this into /etc/mosquitto/conf.d/somnisphere-circle.conf and restart mosquitto (2.0 or later).",
        f"connection {name}",
        f"address {address}",
        "bridge_protocol_version mqttv50",
        f"remote_clientid {name}",
        f"remote_username {name}",
        "# The password that the meeting household gave you:",
        "#remote_password ...",
    ]
    if tls:
        lines += ["bridge_capath /etc/ssl/certs", "bridge_insecure false", "bridge_tls_version tlsv1.2"]
    lines += [
        "cleansession true",
        "start_type automatic",
        "restart_timeout 5 60",
        "keepalive_interval 60",
        "notifications true",
        "notifications_local_only true",
        f"notification_topic {topics.bridge}",
        "try_private true",
        "bridge_attempt_unsubscribe false",
        *(f"topic {pattern} {direction} {QOS}" for pattern, direction in crossing(topics)),
    ]
    return "\n".join(lines) + "\n"


def own_broker(topics: CircleTopics, host: str, port: int, *, tls: bool, circle_name: str, own_port: int) -> str:
    """A whole ``mosquitto.conf`` for a broker of the circle's own, heard on this box alone."""
    bridge = bridge_configuration(topics, host, port, tls=tls, circle_name=circle_name)
    bridge = "\n".join(line for line in bridge.splitlines() if not line.startswith("# Put this"))
    lines = [
        "# A mosquitto for the circle alone: mosquitto -c THIS-FILE, beside the home's. Tell the circle of it:",
        f"# [circle] own_broker_port = {own_port}",
        f"listener {own_port} 127.0.0.1",
        "allow_anonymous true",
        "persistence false",
        "",
    ]
    return "\n".join(lines) + bridge + "\n"


def access_list(topics: CircleTopics, households: tuple[str, ...]) -> str:
    """The part of the meeting broker's ``acl_file``: each household's bridge may do what its configuration does."""
    lines = [f"# Somnisphere: what the bridges of the circle {topics.circle} may do on this broker."]
    for household in households:
        lines += ["", f"user {user_name(household)}"]
        for pattern, direction in crossing(CircleTopics(topics.circle, household)):
            access = {"in": "read", "out": "write", "both": "readwrite"}[direction]
            lines.append(f"topic {access} {pattern}")
    return "\n".join(lines) + "\n"


def own_access(user: str = "circle") -> str:
    """For a broker with access lists: the circle's own process sees the circle and nothing of the house."""
    return f"user {user}\ntopic readwrite {ROOT}/#\n"


def user_name(household: str) -> str:
    return f"circle-{household}"
