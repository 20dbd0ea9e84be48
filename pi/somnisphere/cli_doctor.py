"""``somnisphere doctor``: every part of this box, each with a verdict and, where something is wrong, the mend."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from somnisphere.cli import writes
from somnisphere.config import ConfigError, load
from somnisphere.doctor.examine import examine
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE


def doctor(arguments: argparse.Namespace) -> int:
    findings = []
    for finding in examine(arguments.config, THIS_MACHINE):
        findings.append(finding)
        if arguments.json:
            print(json.dumps(asdict(finding)), flush=True)
        else:
            _tell(finding)
    if arguments.bundle:
        _bundle(arguments.bundle, arguments.config, findings)
        if not arguments.json:
            print(f"\n{arguments.bundle} is for who helps you. No night of yours is in it; look before you send it.")
    return 0 if all(finding.ok for finding in findings) else 1


def _tell(finding: Finding) -> None:
    print(f"{'ok  ' if finding.ok else 'BAD '} {finding.part:<11} {finding.verdict}", flush=True)
    if finding.mend:
        print(f"     {'':<11} mend: {finding.mend}", flush=True)


def _bundle(path: Path, config_path: Path | None, findings: list[Finding]) -> None:
    from somnisphere.doctor.bundle import bundle, write_bundle

    try:
        config = load(config_path)
    except ConfigError:
        config = None
    content = bundle(config, findings, THIS_MACHINE)
    with writes(path):
        write_bundle(path, content)
