"""What was decided goes into files: secrets each into one of its own, then the configuration; all of them or none."""

import grp
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from somnisphere.config import ConfigError, load
from somnisphere.config_edit import edited, toml_lines, written_beside
from somnisphere.config_text import example
from somnisphere.setup.deeds import Written
from somnisphere.setup.draft import SECRETS, Draft

SERVICE_GROUP = "somnisphere"
CA_FILE = "ca.crt"
SECRET_MODE, CA_MODE = 0o600, 0o644

FILE_NAMES = {"mqtt.password": "mqtt-password", "home_assistant.token": "home-assistant-token"}
"""As the unit lends them (``LoadCredential=`` in deploy/somnisphere.service)."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Of what is made new; files that are there keep theirs. ``group`` may read the configuration, never a secret."""

    user: int
    user_group: int
    group: int
    folder_mode: int
    config_mode: int
    for_service: bool


def rights_here(group_name: str = SERVICE_GROUP) -> Rights:
    """Root writes for the service, anybody else for themselves."""
    user, own = os.geteuid(), os.getegid()
    if user != 0:
        return Rights(user, own, own, 0o700, 0o600, for_service=False)
    group = own
    with suppress(KeyError):  # installed by hand, without the service
        group = grp.getgrnam(group_name).gr_gid
    return Rights(user, own, group, 0o750, 0o640, for_service=True)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    text: str
    mode: int
    group: int


def write(draft: Draft, config: Path, rights: Rights) -> Written:
    """Nothing is raised for a disk that is full or not ours: that is said, and all files are as they were."""
    try:
        with _undisturbed():
            return _write(draft, config.resolve(), rights)  # a link stays a link
    except OSError as problem:
        where = problem.filename or config
        return Written(
            problem=f"{where}: {problem.strerror or problem}. Nothing was written; mend that and begin anew."
        )


def _write(draft: Draft, config: Path, rights: Rights) -> Written:
    if not config.parent.is_dir():
        config.parent.mkdir(parents=True)
        os.chown(config.parent, rights.user, rights.group)
        config.parent.chmod(rights.folder_mode)
    files = [*_secrets(draft, config.parent, rights), *_authority(draft, config.parent, rights)]
    text = _read(config) if config.exists() else example()
    for section, values in draft.changes().items():
        new = edited(text, section, values)
        if new is None:
            lines = tuple(line for part, its in draft.changes().items() for line in (f"[{part}]", *toml_lines(its)))
            problem = f"{config} is written in a way that is not edited safely; put these lines there yourself:"
            return Written(problem=problem, by_hand=lines)
        text = new
    if problem := _complaint(text, config):
        return Written(problem=f"{problem}. Nothing was written.")
    files.append(_File(config, text, rights.config_mode, rights.group))
    _put(files, rights)
    return Written(tuple(file.path for file in files))


def _secrets(draft: Draft, folder: Path, rights: Rights) -> Iterator[_File]:
    """The draft names their files from then on."""
    for key, text in draft.new_secrets.items():
        named = draft.before(SECRETS[key])
        path = Path(named).expanduser() if named else folder / FILE_NAMES[key]
        draft.put(SECRETS[key], named or str(path))
        yield _File(path, f"{text}\n", SECRET_MODE, rights.user_group)


def _authority(draft: Draft, folder: Path, rights: Rights) -> Iterator[_File]:
    """The service does not see a person's home: what is to be trusted is copied beside the configuration."""
    named = draft.get("mqtt.ca_file")
    if named is None or named == draft.before("mqtt.ca_file"):
        return
    path = Path(named).expanduser()
    if not rights.for_service or not path.is_file() or path.resolve().is_relative_to(folder):
        draft.put("mqtt.ca_file", str(path))
        return
    draft.put("mqtt.ca_file", str(folder / CA_FILE))
    yield _File(folder / CA_FILE, _read(path), CA_MODE, rights.group)


def _read(path: Path) -> str:
    """With its line ends as they are."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _complaint(text: str, config: Path) -> str:
    """Whether the daemon would take this configuration."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".toml") as file:
        file.write(text)
        file.flush()
        try:
            load(Path(file.name))
        except ConfigError as problem:
            return str(problem).replace(file.name, str(config))
    return ""


def _put(files: list[_File], rights: Rights) -> None:
    """All are on the disk before the first takes its name."""
    beside: list[Path] = []
    try:
        for file in files:
            mode, owner = file.mode, (rights.user, file.group)
            if file.path.exists():
                kept = file.path.stat()
                mode, owner = kept.st_mode & 0o7777, (kept.st_uid, kept.st_gid)
            beside.append(written_beside(file.path, file.text, mode, owner))
        for file, new in zip(files, beside, strict=True):
            new.replace(file.path)
    finally:
        for new in beside:
            new.unlink(missing_ok=True)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits for these few milliseconds."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
