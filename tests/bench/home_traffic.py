"""What a rehearsed night says to the home: messages and bytes by topic, as a Markdown table.

    python tests/bench/home_traffic.py [HOURS]

In process and without a broker, through everything from the chip registers to the published message. Bytes are topic
and payload, without MQTT's own few bytes of header.
"""

import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from somnisphere.config import Config
from somnisphere.simulation import open_rehearsal
from somnisphere_home.messages import Message


def night(hours: float) -> tuple[list[Message], float]:
    """All that was published in a night with ``hours`` in bed, and the rehearsed hours it took."""
    sent: list[Message] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        open_rehearsal(Config(), Path(folder), seed=2, hours=hours, speed=0.0, broker=None) as simulation,
    ):
        simulation.daemon.publish_through(sent.append)
        simulation.daemon.home_connected(0.0)
        simulation.rehearsal.run(simulation.until_s)
        return sent, simulation.clock.at_s / 3600.0


def table(sent: list[Message], night_h: float) -> str:
    """One row per topic, the most bytes first, and their sum."""
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for message in sent:
        sizes[message.topic].append(len(message.topic.encode()) + len(message.payload))
    lines = ["| Topic | Messages | Bytes | Messages per hour |", "| --- | ---: | ---: | ---: |"]
    for topic, each in sorted(sizes.items(), key=lambda item: -sum(item[1])):
        lines.append(f"| `{topic}` | {len(each)} | {sum(each)} | {len(each) / night_h:.1f} |")
    total = [size for each in sizes.values() for size in each]
    lines.append(f"| all, in {night_h:.1f} h | {len(total)} | {sum(total)} | {len(total) / night_h:.1f} |")
    return "\n".join(lines)


def main() -> None:
    print(table(*night(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0)))


if __name__ == "__main__":
    main()
