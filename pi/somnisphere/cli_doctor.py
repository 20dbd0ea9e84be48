"""``somnisphere doctor``: every part of this box, each with a verdict and, where something is wrong, the mend."""

import argparse

from somnisphere.doctor.examine import examine


def doctor(arguments: argparse.Namespace) -> int:
    healthy = True
    for finding in examine(arguments.config):
        healthy &= finding.ok
        print(f"{'ok  ' if finding.ok else 'BAD '} {finding.part:<10} {finding.verdict}", flush=True)
        if finding.mend:
            print(f"     {'':<10} mend: {finding.mend}", flush=True)
    return 0 if healthy else 1
