"""Who may read what is secret or of the body: its owner alone."""

import stat
from collections.abc import Iterator
from pathlib import Path

from somnisphere.config import Config
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE, World

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
    """Passwords, tokens, nights and words, and the keys of the circle."""
    secrets = (config.mqtt.password_file, config.coach.password_file, config.home_assistant.token_file)
    named = [Path(secret).expanduser() for secret in secrets if secret]
    lent = [world.at(f"etc/somnisphere/{name}") for name in ("mqtt-password", "home-assistant-token")]
    journal = Path(config.journal.path)
    folder = journal.parent
    kept = [*folder.glob(f"{journal.stem}*"), *folder.glob("household*"), *(folder / "circle").rglob("*")]
    return list(dict.fromkeys([*named, *lent, *(path for path in sorted(kept) if path.is_file())]))
