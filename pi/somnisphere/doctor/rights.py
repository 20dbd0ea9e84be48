"""Who may read what is secret or of the body: its owner alone."""

import stat
from collections.abc import Iterator
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.household_file import household_beside

PART = "rights"


def check_rights(config: Config, world: World = THIS_MACHINE) -> Iterator[Finding]:
    bad = False
    for path in kept_private(config, world):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue  # what is not there, or not for this user, says another check
        if mode & 0o077:
            bad = True
            yield Finding(PART, False, f"{path} can be opened by others ({mode:04o})", f"chmod 0600 {path}")
    if not bad:
        yield Finding(PART, True, "secrets and nights are their owner's alone")


def kept_private(config: Config, world: World = THIS_MACHINE) -> list[Path]:
    """Passwords, tokens, nights and words."""
    secrets = (config.mqtt.password_file, config.coach.password_file, config.home_assistant.token_file)
    journal = Path(config.journal.path)
    kept = [
        database.with_name(database.name + ending)
        for database in (journal, household_beside(journal))
        for ending in ("", "-wal", "-shm")
    ]
    named = [Path(secret).expanduser() for secret in secrets if secret]
    return list(dict.fromkeys([*named, world.at("etc/somnisphere/mqtt-password"), *kept]))
