"""``somnisphere doctor``: every part of this box, each with a verdict and, where something is wrong, the mend."""

import argparse
import json
from dataclasses import asdict

from somnisphere.doctor.examine import examine
from somnisphere.doctor.finding import Finding
from somnisphere.doctor.world import THIS_MACHINE


def doctor(arguments: argparse.Namespace) -> int:
    healthy = True
    for finding in examine(arguments.config, THIS_MACHINE):
        healthy &= finding.ok
        if arguments.json:
            print(json.dumps(asdict(finding)), flush=True)
        else:
            _tell(finding)
    return 0 if healthy else 1


def _tell(finding: Finding) -> None:
    print(f"{'ok  ' if finding.ok else 'BAD '} {finding.part:<11} {finding.verdict}", flush=True)
    if finding.mend:
        print(f"     {'':<11} mend: {finding.mend}", flush=True)
