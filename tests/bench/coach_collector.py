"""Prints what a coach's collector does with thousands of simulated households, on a real mosquitto and real books.

    python tests/bench/coach_collector.py [sqlite|postgres] [--sizes 1000,5000,10000] [--write]

Each household says four messages at QoS 1: three weeks, and the last of them once more, as it does every day.
Collectors are the real command, in processes of their own; the households are simulated by this one, which shares the
cores with them and with the broker, so messages per second are of all three together, and CPU is of the collectors
alone. Every size begins with empty books. At the end a hundred households take their consent back. With ``--write``
the table is put into pi/README.md.
"""

import argparse
import os
import queue
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, os.fspath(ROOT))

from tests.brokers import mosquitto  # noqa: E402
from tests.pi.coach.households import household_id, said  # noqa: E402
from tests.postgres import postgres  # noqa: E402

from somnisphere.cli_coach import open_books  # noqa: E402
from somnisphere.coach.summary import Withdrawn, encode, topic  # noqa: E402
from somnisphere.coach_desk.ledger import Ledger  # noqa: E402
from somnisphere_home.messages import Message  # noqa: E402
from somnisphere_home.mqtt import BrokerSettings, Connected  # noqa: E402
from somnisphere_home.sure_link import Delivered, SureEvent, SureLink  # noqa: E402

WAVES = ((1, 2), (2, 1), (3, 0), (4, 0))
"""Message number and how many weeks ago: three weeks, and the last one again."""
WITHDRAWN = 100
PATIENCE_S = 120.0
TODAY = datetime.now().astimezone().date()
README = ROOT / "pi" / "README.md"
MARK = "<!-- coach -->"
HEAD = (
    "| books | collectors | households | messages/s | CPU ms per 1000 messages | rows per household | share of each "
    "| gone after withdrawal |\n|---|---|---|---|---|---|---|---|"
)

Wire = tuple[str, bytes]


class Households:
    """All of them behind one connection."""

    def __init__(self, port: int) -> None:
        self._events: queue.SimpleQueue[SureEvent] = queue.SimpleQueue()
        self.link = SureLink(BrokerSettings(client_id="households", host="127.0.0.1", port=port), self._events.put)
        self.link.start()
        while not isinstance(self._events.get(timeout=10), Connected):
            pass

    def say(self, messages: Sequence[Wire], retain: bool = False) -> None:
        """Returns when the broker has all of it."""
        waiting = {self.link.publish(Message(name, payload, retain=retain)) for name, payload in messages}
        while waiting:
            if isinstance(event := self._events.get(timeout=PATIENCE_S), Delivered):
                waiting.discard(event.number)


@contextmanager
def collectors(port: int, count: int, database: str, folder: Path) -> Iterator[list["subprocess.Popen[bytes]"]]:
    config = folder / "somnisphere.toml"
    config.write_text(f'[mqtt]\nhost = "127.0.0.1"\nport = {port}\n')
    program = [sys.executable, "-m", "somnisphere", "--config", os.fspath(config)]
    command = [*program, "coach", "collect", "--coach", "anna", "--database", database]
    with ExitStack() as stack:
        found = []
        for number in range(count):
            log = stack.enter_context((folder / f"log{number}").open("wb"))
            process = subprocess.Popen([*command, "--name", f"c{number}"], stderr=log)
            found.append(stack.enter_context(process))
        try:
            yield found
        finally:
            for process in found:
                process.terminate()
            for process in found:
                process.wait(30)


def cpu_s(process: "subprocess.Popen[bytes]") -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until(seen: Callable[[], bool], what: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not seen():
        if time.monotonic() > end_s:
            raise SystemExit(f"not within {PATIENCE_S:g} s: {what}")
        time.sleep(0.05)


def waves(households: int) -> list[list[Wire]]:
    made = []
    for number, weeks_ago in WAVES:
        told = (said(one, TODAY, number, weeks_ago=weeks_ago, asks=one % 50 == 0) for one in range(households))
        made.append([(topic(summary, "anna"), encode(summary)) for summary in told])
    return made


def heard_to_the_end(database: str) -> int:
    """How many households' last message is in the books."""
    if "://" not in database:
        with closing(sqlite3.connect(database)) as file:
            found = file.execute("SELECT count(*) FROM household WHERE number = ?", (len(WAVES),)).fetchone()
    else:
        with psycopg.connect(database) as db:
            found = db.execute("SELECT count(*) FROM coach_household WHERE number = %s", (len(WAVES),)).fetchone()
    return int(found[0]) if found else 0


def measure(kind: str, count: int, households: int, database: str) -> str:
    """One row of the table."""
    said_by_all = waves(households)
    with tempfile.TemporaryDirectory() as folder, mosquitto() as (_, port):
        if kind == "SQLite":
            database = os.fspath(Path(folder) / "coach.db")
        else:
            forget(database)
        books = open_books(database)
        crowd = Households(port)
        with collectors(port, count, database, Path(folder)) as running:
            ready(crowd, books, running, Path(folder))
            before_s, began_s = sum(map(cpu_s, running)), time.monotonic()
            for number, wave in enumerate(said_by_all, start=1):
                crowd.say(wave)
                rows = households * (1 + min(number, 3))
                until(lambda rows=rows: books.rows()[1] == rows, f"{rows} rows")  # type: ignore[misc]
            until(lambda: heard_to_the_end(database) == households, "the last messages")
            took_s, used_s = time.monotonic() - began_s, sum(map(cpu_s, running)) - before_s
            rows_each = books.rows()[1] / households
            gone_s = withdraw(crowd, books, households)
        crowd.link.stop()
        books.close()
        shares = [taken(Path(folder) / f"log{number}") for number in range(count)]
    total = households * len(WAVES)
    assert sum(shares) >= total, f"{sum(shares)} of {total} were taken"
    share = " / ".join(f"{share / sum(shares):.0%}" for share in shares)
    return (
        f"| {kind} | {count} | {households:,} | {total / took_s:,.0f} | {1e6 * used_s / total:,.0f} | {rows_each:.2f} "
        f"| {share} | {gone_s:.1f} s |"
    )


def ready(crowd: Households, books: Ledger, running: Sequence["subprocess.Popen[bytes]"], folder: Path) -> None:
    """Every collector reads: each of them alone would take this household's word away."""
    time.sleep(1.0)
    for attempt in range(1, 100):
        crowd.say([(topic(said(10**9, TODAY), "anna"), encode(said(10**9, TODAY, attempt)))] * len(running))
        time.sleep(0.2)
        if books.rows()[0] == 1 and all(process.poll() is None for process in running):
            break
    time.sleep(1.0)  # the second one imports as long as the first did
    gone = Withdrawn(household_id(10**9), (TODAY + timedelta(days=1)).isoformat())
    crowd.say([(topic(gone, "anna"), encode(gone))])
    until(lambda: books.rows()[0] == 0, f"the collectors read; see {folder}")


def withdraw(crowd: Households, books: Ledger, households: int) -> float:
    """Seconds from the word of a hundred households to none of their rows."""
    day = (TODAY + timedelta(days=24)).isoformat()
    gone = [Withdrawn(household_id(number), day) for number in range(WITHDRAWN)]
    began_s = time.monotonic()
    crowd.say([(topic(one, "anna"), encode(one)) for one in gone], retain=True)
    until(lambda: books.rows()[0] == households - WITHDRAWN, "they are gone")
    return time.monotonic() - began_s


def forget(database: str) -> None:
    with psycopg.connect(database) as db:
        db.execute("DROP TABLE IF EXISTS coach_week, coach_household, coach_withdrawn")


def taken(log: Path) -> int:
    """The last count that a collector said."""
    return int(re.findall(r"(\d+) summaries taken", log.read_text())[-1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", choices=("sqlite", "postgres"), help="these books alone")
    parser.add_argument("--sizes", default="1000,5000,10000")
    parser.add_argument("--write", action="store_true", help="put the table into pi/README.md")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    rows = [HEAD]
    print(HEAD, flush=True)
    with ExitStack() as stack:
        for kind in ("SQLite", "PostgreSQL"):
            if arguments.kind and not kind.lower().startswith(arguments.kind):
                continue
            database = stack.enter_context(postgres()) if kind == "PostgreSQL" else ""
            for count in (1, 2):
                for size in sizes:
                    rows.append(measure(kind, count, size, database))
                    print(rows[-1], flush=True)
    if arguments.write:
        before, _, rest = README.read_text().partition(MARK)
        README.write_text(f"{before}{MARK}\n\n" + "\n".join(rows) + f"\n\n{MARK}{rest.partition(MARK)[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
