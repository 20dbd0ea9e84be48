"""What comfort remembers, kept over restarts: one small JSON file beside the journal, written when it did something.

A file that cannot be understood is put aside, and comfort begins anew.
"""

from pathlib import Path

from somnisphere.comfort.memory import ComfortMemory, Note
from somnisphere.events import KeepComfort
from somnisphere.small_file import put_aside, read_small, write_small

VERSION = 1
FILE_SUFFIX = ".comfort.json"


def beside(journal_path: Path) -> Path:
    return journal_path.with_name(journal_path.stem + FILE_SUFFIX)


def remembered(path: Path) -> ComfortMemory:
    """For a reader beside the daemon: nothing is written or put aside, and what cannot be read is nothing."""
    try:
        return ComfortMemory.from_dict(read_small(path, VERSION, "comfort"))
    except (OSError, ValueError, RecursionError):
        return ComfortMemory()


class ComfortFile:
    """``memory`` is what is remembered. Never raises for trouble with disk or file: ``problem`` says it, "" none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.memory = ComfortMemory()
        self.problem = ""
        self.mended = ""
        """A sentence when a broken file was put aside, else ""."""
        try:
            self.memory = ComfortMemory.from_dict(read_small(path, VERSION, "comfort"))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.problem = f"{path} cannot be read: {error.strerror or error}. Check its rights."
        except (ValueError, RecursionError) as error:
            self.mended, self.problem = put_aside(path, error, "comfort remembers nothing")

    def keep(self, done: KeepComfort, wall_s: float) -> ComfortMemory:
        """``wall_s``: when, in Unix seconds. Returns what is remembered now."""
        self.memory = self.memory.noted(Note(wall_s, done.step, done.what))
        try:
            write_small(self.path, VERSION, "comfort", self.memory.to_dict())
            self.problem = ""
        except OSError as error:
            self.problem = f"{self.path} cannot be written: {error.strerror or error}. What comfort learns is lost."
        return self.memory
