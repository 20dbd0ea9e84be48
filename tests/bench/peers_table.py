"""The figures of ``peers.py`` as Markdown, ours first, and into the page that holds them."""

from collections.abc import Iterable

import numpy as np
from tests.bench.accuracy import Figures, calibration_error, mean, middle
from tests.bench.peers_cost import Cost
from tests.bench.peers_judged import OURS, RIGHT_BPM, Judged

MARKER = "<!-- peers -->"
RIGHT_BREATH_BPM = 3.0


def tables(
    judged: list[Judged],
    versions: dict[str, str],
    costs: dict[str, Cost],
    hours: float,
    absent: list[str],
    troubles: list[str],
) -> str:
    rates_hz = sorted({one.rate_hz for one in judged})
    main_hz = 50.0 if 50.0 in rates_hz else rates_hz[0]
    here = [one for one in judged if one.rate_hz == main_hz]
    parts = [accuracy_table(here, versions), *calibration_lines(here)]
    if len(rates_hz) > 1:
        parts.append(rates_table(judged, rates_hz))
    if costs:
        parts.append(cost_table(costs, hours))
    parts += [f"Not measured, because it could not be installed: {name}." for name in absent]
    parts += [f"`{trouble}`" for trouble in troubles]
    return "\n\n".join(parts)


def accuracy_table(judged: list[Judged], versions: dict[str, str]) -> str:
    asked = judged[0].figures
    rest, moving = (sum(f.moving is flag for f in asked) for flag in (False, True))
    lines = [
        f"{judged[0].rate_hz:g} Hz; {rest} recordings at rest, {moving} wrists in exercise. *Told*: share of windows "
        "answered. Ours was tuned on these same recordings, heard them as a stream and had the accelerometer; the "
        "others had the whole wave at once, take no accelerometer, and give every beat the same weight. Their heart "
        "rate is 60 / median or mean interval of 30 s, whichever served them better.",
        "",
        "| detector | beats F1 | interval RMSE, ms | RMSSD error, ms (told) | heart rate error, bpm (told) "
        "| in exercise: within 5 bpm of those told (told) | breath error, 1/min; within 3 (told) | no answer |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in judged:
        still = [f for f in one.figures if not f.moving]
        exercise = [f for f in one.figures if f.moving]
        heart = errors(still, "heart")
        run = errors(exercise, "heart")
        cells = [
            name_cell(one.name, versions),
            f"{mean(f.f1 for f in still):.3f}",
            f"{mean(f.ibi_rmse_ms for f in still):.1f}",
            f"{middle(errors(still, 'rmssd')):.1f} ({told(still, 'rmssd')})",
            f"{mean(heart):.2f} ({told(still, 'heart')})",
            f"{share(e < RIGHT_BPM for e in run)} ({told(exercise, 'heart')})",
            breath_cell(still),
            f"{len(one.failures)} of {len(one.figures)}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rates_table(judged: list[Judged], rates_hz: list[float]) -> str:
    lines = [
        "At rest, by rate: beats F1 / RMSSD error, ms / heart rate error, bpm / recordings without an answer.",
        "",
        "| detector | " + " | ".join(f"{rate_hz:g} Hz" for rate_hz in rates_hz) + " |",
        "|---" * (len(rates_hz) + 1) + "|",
    ]
    by = {(one.name, one.rate_hz): one for one in judged}
    for name in dict.fromkeys(one.name for one in judged):
        cells = []
        for rate_hz in rates_hz:
            one = by[name, rate_hz]
            still = [f for f in one.figures if not f.moving]
            cells.append(
                f"{mean(f.f1 for f in still):.3f} / {middle(errors(still, 'rmssd')):.1f} / "
                f"{mean(errors(still, 'heart')):.2f} / {len(one.failures)}"
            )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def calibration_lines(judged: list[Judged]) -> list[str]:
    windows = [window for one in judged if one.name == OURS for window in one.windows]
    if not windows:
        return []
    chances, right = np.array([c for c, _ in windows]), np.array([ok for _, ok in windows])
    return [
        f"Somnisphere tells with each 30 s a chance that its heart rate is within 5 bpm: expected calibration error "
        f"{calibration_error(chances, right):.3f} over the {len(windows)} windows in which it trusted intervals, "
        "exercise among them."
    ]


def cost_row(name: str, cost: Cost, peer: Cost) -> str:
    alone, whole = cost.cpu_s / peer.cpu_s, (cost.cpu_s + cost.imports_s) / (peer.cpu_s + peer.imports_s)
    return f"| {name} | {alone:.1f} | {whole:.1f} | {cost.peaks_mib[-1]:.0f} |"


def cost_table(costs: dict[str, Cost], hours: float) -> str:
    beats, pipeline, peer = costs["beats"], costs["pipeline"], costs["neurokit2"]
    hourly = ", ".join(f"{peak - pipeline.peaks_mib[0]:.1f}" for peak in pipeline.peaks_mib[1:]) or "not measured"
    return "\n".join(
        [
            f"A night of {hours:g} h (one recording over and over, 50 Hz), in turn, each in a fresh process; CPU time "
            "is the median of three, as a ratio:",
            "",
            "| | CPU time | the same with start and imports | peak memory of the process, MiB |",
            "|---|---|---|---|",
            cost_row("neurokit2 elgendi, whole array", peer, peer),
            cost_row("Somnisphere, beats alone, blocks of 1 s", beats, peer),
            cost_row("Somnisphere, the whole pipeline to epochs, blocks of 1 s", pipeline, peer),
            "",
            f"Memory the pipeline's peak grew by since its fifth minute, MiB, after each hour: {hourly}.",
        ]
    )


# ---- cells ----------------------------------------------------------------------------------------------------------


def name_cell(name: str, versions: dict[str, str]) -> str:
    return f"**{name} {versions[name]}**" if name == OURS else f"{name} {versions[name]}"


def errors(figures: list[Figures], what: str) -> list[float]:
    names = {"heart": "heart_bpm", "breath": "breath_bpm", "rmssd": "rmssd_ms"}
    return [float(error) for f in figures for error in getattr(f, names[what])]


def told(figures: list[Figures], what: str) -> str:
    asked = sum(int(getattr(f, f"{what}_asked")) for f in figures)
    return f"{100 * len(errors(figures, what)) / asked:.0f} %" if asked else "-"


def share(hits: Iterable[bool]) -> str:
    known = list(hits)
    return f"{100 * sum(known) / len(known):.0f} %" if known else "-"


def breath_cell(figures: list[Figures]) -> str:
    found = errors(figures, "breath")
    if not found:
        return "-"
    return f"{mean(found):.1f}; {share(e < RIGHT_BREATH_BPM for e in found)} ({told(figures, 'breath')})"
