"""How the box itself is, gathered from its parts."""

from somnisphere.events import Tick
from somnisphere.machine import NOT_LOOKED_AT, Began
from somnisphere.parts import Parts
from somnisphere.snapshot import Health


def health_of(parts: Parts, tick: Tick, began: Began, published_wall_s: float | None) -> Health:
    bedside, machine = parts.bedside, parts.machine
    return Health(
        blocks_dropped=parts.blocks_dropped(),
        samples_lost=sum(bedside.samples_lost.values()),
        bus_errors=bedside.traffic.errors,
        journal_problem=parts.journal.problem,
        lamp_problem=parts.lamp.problem,
        household_problem=" ".join(filter(None, (parts.screen.door.problem, parts.comfort.problem))),
        sensing_problem=parts.sensing.problem,
        home_problem=parts.echo.problem(tick.at_s),
        oxygen_calibrated=parts.oxygen_calibrated,
        house_quiet=parts.house.quiet,
        started_wall_s=began.wall_s(tick),
        published_wall_s=published_wall_s,
        release=parts.release.newest,
        machine_problem=parts.strain.problem,
        clock_problem=tick.clock_problem,
        machine=NOT_LOOKED_AT if machine is None else machine.look(tick.at_s),
    )
