"""What a night costs: from chip registers to published messages, with the simulated bed in the same process.

    python tests/bench/daemon.py [HOURS]

Prints wall and CPU seconds, messages and bytes published, bytes of the journal, and resident memory, each measured in
a process of its own. ``somnisphere run`` is measured as a user runs it, against a real mosquitto, here without chips.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def resident_mib(pid: int | str = "self") -> float:
    """Resident memory of a process (VmRSS of proc(5)), MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/status has no VmRSS")


class Stopwatch:
    """Seconds spent in a function."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    def timed(self, function: Callable[[int, bytes, int], bytes]) -> Callable[[int, bytes, int], bytes]:
        def run(address: int, data: bytes, count: int) -> bytes:
            began_s = time.perf_counter()
            try:
                return function(address, data, count)
            finally:
                self.spent_s += time.perf_counter() - began_s

        return run


def live_a_night(hours: float) -> None:
    """In a child: a whole night as fast as it goes."""
    from somnisphere.config import Config
    from somnisphere.simulation import open_rehearsal
    from somnisphere_home.messages import Message

    sent, bed = list[int](), Stopwatch()

    def publish(message: Message) -> None:
        sent.append(len(message.topic) + len(message.payload))

    with tempfile.TemporaryDirectory() as folder:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        with open_rehearsal(Config(), Path(folder), seed=2, hours=hours, speed=0.0, broker=None) as simulation:
            simulation.daemon.publish_through(publish)
            simulation.daemon.home_connected(0.0)
            vars(simulation.bus)["transfer"] = bed.timed(simulation.bus.transfer)
            simulation.rehearsal.run(60.0)
            empty_mib = resident_mib()
            simulation.rehearsal.run(600.0)
            early_mib = resident_mib()
            simulation.rehearsal.run(simulation.until_s)
            late_mib = resident_mib()
            night_h = simulation.clock.at_s / 3600.0
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        journal_bytes = sum(path.stat().st_size for path in Path(folder).iterdir())
    print(f"night                      {night_h:8.1f} h, {hours:g} of them in bed")
    print(f"wall                       {wall_s:8.1f} s   ({wall_s / night_h * 8.0:.1f} s for 8 hours)")
    print(f"CPU                        {cpu_s:8.1f} s   ({cpu_s / night_h:.2f} s per hour of night)")
    print(f"  of which simulated bed   {bed.spent_s:8.1f} s   ({bed.spent_s / wall_s:.0%} of it)")
    print(f"published                  {len(sent):8d} messages, {sum(sent) / 1e6:.2f} MB")
    print(f"journal on disk            {journal_bytes / 1e6:8.2f} MB")
    print(f"resident after a minute    {empty_mib:8.1f} MiB, the bed still empty")
    print(f"resident after 10 minutes  {early_mib:8.1f} MiB with the simulated bed in the same process")
    print(f"resident at the end        {late_mib:8.1f} MiB, {late_mib - early_mib:+.1f} over the night")


def simulated_bed_alone() -> None:
    """In a child: what the simulated bed takes on top of what the daemon imports anyway."""
    import somnisphere.cli_daemon

    before_mib = resident_mib()
    import somnisphere.simulation  # noqa: F401
    from somnisphere_hardware.simulated.sleeper import Sleeper

    sleeper = Sleeper.usual_night(2, hours=8.0)
    print(f"  of which simulated bed   {resident_mib() - before_mib:8.1f} MiB ({len(sleeper.beat_times_s)} heartbeats)")


def run_as_a_user() -> None:
    """``somnisphere run`` with a real broker, and chips looked for in vain."""
    from tests.brokers import mosquitto

    with mosquitto() as (host, port), tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "somnisphere.toml"
        config.write_text(
            f'[mqtt]\nhost = "{host}"\nport = {port}\n[journal]\npath = "{folder}/journal.db"\n[speaker]\nao = "null"\n'
        )
        process = subprocess.Popen([sys.executable, "-m", "somnisphere", "--config", str(config), "run"])
        time.sleep(15.0)
        print(f"`somnisphere run`          {resident_mib(process.pid):8.1f} MiB resident after 15 s, no chips")
        process.terminate()
        process.wait(10.0)


def main() -> None:
    if len(sys.argv) > 2:
        {"night": lambda: live_a_night(float(sys.argv[2])), "bed": simulated_bed_alone, "run": run_as_a_user}[
            sys.argv[1]
        ]()
        return
    hours = sys.argv[1] if len(sys.argv) > 1 else "8"
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    for part in ("night", "bed", "run"):
        subprocess.run([sys.executable, __file__, part, hours], check=True, env=environment)


if __name__ == "__main__":
    main()
