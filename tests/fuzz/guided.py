"""One target under atheris: guided by what of our packages it reaches. The only file that imports atheris.

``python -m tests.fuzz.guided TARGET SECONDS FOLDER``, as ``tests/fuzz/__main__.py`` calls it. A finding does not end
the run: each place in our code is saved once, as FOLDER/found/PLACE.bin with its traceback beside it, and the run goes
on. Only what hangs beyond ``HANG_S`` or grows beyond ``MORE_BYTES`` does end it; whoever called begins anew.
"""

import hashlib
import re
import resource
import sys
import traceback
import warnings
from pathlib import Path
from types import TracebackType

from tests.fuzz.target import PACKAGES, Target, findings, target, timed

HANG_S = 30
MORE_BYTES = 1_500_000_000
"""Beyond what the process has when it begins: then an allocation fails, which is a finding."""


def place_of(kind: type[BaseException], trace: TracebackType | None) -> str:
    """Where in our code it happened: the innermost frame of ours, else of the target."""
    frames = traceback.extract_tb(trace)
    ours = [frame for frame in frames if any(f"/{name}/" in frame.filename for name in PACKAGES)]
    at = (ours or frames)[-1]
    return f"{kind.__name__}-{Path(at.filename).stem}-{at.name}-{at.lineno}"


class Found:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def note(self, data: bytes, problem: Exception) -> None:
        name = re.sub(r"[^\w.-]", "_", place_of(type(problem), problem.__traceback__))
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / f"{name}.bin"
        if place.exists() and len(place.read_bytes()) <= len(data):
            return
        if not place.exists():
            print(f"FINDING {name}: {str(problem)[:200]!r}", file=sys.stderr, flush=True)
        place.write_bytes(data)
        place.with_suffix(".txt").write_text("".join(traceback.format_exception(problem))[-6000:])


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MORE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _corpus(name: str, what: Target, folder: Path) -> Path:
    """The folder of inputs: what earlier runs kept, the seeds, and past findings."""
    inputs = folder / "corpus"
    inputs.mkdir(parents=True, exist_ok=True)
    for data in (*what.seeds(), *findings(name)):
        (inputs / hashlib.sha1(data).hexdigest()).write_bytes(data)
    return inputs


def _words(what: Target, folder: Path) -> Path:
    """A dictionary as libFuzzer reads it."""
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word.encode()) + '"' for word in what.words if word]
    place = folder / "words.dict"
    place.write_text("\n".join(lines) + "\n")
    return place


def main(name: str, seconds: int, folder: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=list(PACKAGES)):  # open all the while: some of ours is imported late
        what = target(name)
        inputs = _corpus(name, what, folder)
        for data in sorted(inputs.iterdir()):  # what is imported late is imported now, and the seeds are good
            try:
                what.one(data.read_bytes())
            except Exception as problem:
                Found(folder / "found").note(data.read_bytes(), problem)
        found = Found(folder / "found")

        def run(data: bytes) -> None:
            try:
                timed(what, data)
            except Exception as problem:
                found.note(data, problem)

        _limit_memory()
        warnings.simplefilter("error")  # as pytest has it: a warning on the way is a thought that nobody had
        atheris.Setup(
            [
                "guided",
                f"-max_total_time={seconds}",
                f"-timeout={HANG_S}",
                "-rss_limit_mb=2500",
                f"-max_len={what.longest_bytes}",
                f"-dict={_words(what, folder)}",
                f"-artifact_prefix={folder}/",
                "-print_final_stats=1",
                "-reload=0",
                str(inputs),
            ],
            run,
        )
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
