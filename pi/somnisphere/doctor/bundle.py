"""A support bundle: what the doctor saw and what the box is made of, for somebody who helps; nothing of its people."""

import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from somnisphere.config import Config
from somnisphere.doctor import facts
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.log_lines import log_lines
from somnisphere.doctor.masks import masked_configuration, masks_of, without_values
from somnisphere.doctor.service import BESIDE, UNIT, unit_state
from somnisphere.doctor.world import THIS_MACHINE, World
from somnisphere.errors import UserError

README = """A support bundle of Somnisphere. It is plain text: look into it before you send it.

verdicts.jsonl      what the doctor found
configuration.toml  the configuration in force; <mqtt.host> and the like stand for what is yours
versions.json       of board, system and programs
service.json        how systemd's units are
log.txt             the newest lines of its log as they stand in the program, “…” for what was filled in
chips.json          which chips answer on the I2C bus, by their identities
files.json          the tables of journal and household, and how many rows each has

Not in here: passwords, tokens and PINs; names of people, hosts, entities and stories; bedtimes, nights, dreams,
tellings and whatever was measured on anybody. The name of the time zone may be in it.
"""


def bundle(config: Config | None, findings: Sequence[Finding], world: World = THIS_MACHINE) -> bytes:
    """A zip. ``config``: None when it could not be read."""
    content = {"README.txt": README, "verdicts.jsonl": _verdicts(config, findings)}
    content["versions.json"] = _json(facts.versions(world))
    content["service.json"] = _json({unit: unit_state(world, unit) for unit in (UNIT, *BESIDE)})
    content["log.txt"] = "\n".join(log_lines(world)) + "\n"
    if config is not None:
        content["configuration.toml"] = masked_configuration(config)
        content["chips.json"] = _json(facts.chips(config))
        content["files.json"] = _json(facts.files(config))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(f"somnisphere-doctor/{name}", text)
    return made.getvalue()


def write_bundle(path: Path, content: bytes) -> None:
    """For its owner alone, and never over another file."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as problem:
        raise UserError(f"{path} is there already; name another file.") from problem
    with os.fdopen(number, "wb") as file:
        if os.geteuid() == 0 and (person := os.environ.get("SUDO_UID", "")).isdecimal():
            os.fchown(number, int(person), -1)  # who asked is to look into it, and to send it
        file.write(content)


def _verdicts(config: Config | None, findings: Sequence[Finding]) -> str:
    if config is None:
        shown = [replace(finding, verdict=without_values(finding.verdict)) for finding in findings]
    else:
        masks = masks_of(config)
        shown = [
            replace(finding, verdict=masks.over(_untitled(finding)), mend=masks.over(finding.mend))
            for finding in findings
        ]
    return "".join(json.dumps(asdict(finding), ensure_ascii=False) + "\n" for finding in shown)


def _untitled(finding: Finding) -> str:
    """What is said of a single story may be of its words."""
    return "a file of the shelf cannot be told" if finding.part == "story" else finding.verdict


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
