"""Which stretch of speech is which sentence, when the text is known: by how long each would take. Pure.

A sentence takes time in proportion to its letters, and ends at a pause. Of all ways to give the stretches, in order, to
the sentences, the one is taken whose durations fit best, with pauses inside of sentences as short as possible (dynamic
programming over the two sequences, within a band around where the time says one should be; compare W. A. Gale and
K. W. Church, A Program for Aligning Sentences in Bilingual Corpora, 1993, who did so with lengths of text). Where a
teller went on without a pause, a stretch is shared out by letters. What is told ahead of the text, such as its title,
and behind it is left out when that fits better.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from somnisphere.story import Mark, Sentence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_STRETCHES = 24
"""Of one sentence: a long one with a pause at every comma."""

_MOST_SENTENCES = 4
"""Told in one breath."""

_TEMPO_SPREAD = 0.16
"""How far durations of sentences scatter around their letters' share."""

_SPREAD_S = 0.35
_SAME_BREATH = 2.5
_SKIP_PER_S = 0.5
_SKIP = 2.0
_MOST_SKIPPED = 20
_INNER_PAUSE_PER_S = 3.0
_INNER_FREE_S = 0.3
_BAND_S = 45.0
_BAND_SHARE = 0.02
_UNREACHED = 1e18


def align(speech: Sequence[tuple[float, float]], sentences: Sequence[Sentence]) -> tuple[Mark, ...]:
    """``speech``: (begin_s, end_s) in order. A mark with its id for each sentence; none when it cannot be."""
    import numpy as np

    if not speech or not sentences:
        return ()
    stretches, letters = np.array(speech), np.array([float(_letters(one.text)) for one in sentences])
    taken = _best(stretches, letters)
    if taken is None:
        return ()
    marks: list[Mark] = []
    for first, count, begin, end in taken:
        if count == 1:
            marks.append(Mark(float(stretches[begin, 0]), float(stretches[end - 1, 1]), sentences[first].id))
        else:
            marks += _shared(stretches[begin:end], letters[first : first + count], sentences[first : first + count])
    return tuple(marks)


def _letters(text: str) -> int:
    """What takes time: letters and digits; a Chinese or Japanese sign takes that of three."""
    return 1 + sum(3 if "\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" else 1 for c in text if c.isalnum())


def _shared(stretches: "NDArray[np.float64]", letters: "NDArray[np.float64]", ids: Sequence[Sentence]) -> list[Mark]:
    """Several sentences in one breath."""
    begin_s, end_s = float(stretches[0, 0]), float(stretches[-1, 1])
    at_s = begin_s
    marks = []
    for share, sentence in zip(letters / letters.sum(), ids, strict=True):
        until_s = at_s + float(share) * (end_s - begin_s)
        marks.append(Mark(at_s, min(until_s, end_s), sentence.id))
        at_s = min(until_s, end_s)
    return marks


def _best(stretches: "NDArray[np.float64]", letters: "NDArray[np.float64]") -> list[tuple[int, int, int, int]] | None:
    """(first sentence, how many, first stretch, behind the last one) of each step of the best way."""
    import numpy as np

    n, m = len(letters), len(stretches)
    spoken = np.concatenate(([0.0], np.cumsum(stretches[:, 1] - stretches[:, 0])))
    pauses = np.concatenate(([0.0], stretches[1:, 0] - stretches[:-1, 1], [0.0]))
    """pauses[j]: ahead of stretch j."""
    inner = np.concatenate(([0.0], np.cumsum(np.maximum(0.0, pauses[1:-1] - _INNER_FREE_S)), [0.0]))[: m + 1]
    inner[m] = inner[m - 1] if m else 0.0
    written = np.concatenate(([0.0], np.cumsum(letters)))
    pace_s = spoken[-1] / written[-1]
    band_s = _BAND_S + _BAND_SHARE * spoken[-1]

    ahead = np.arange(m + 1)
    rows = [np.full(m + 1, _UNREACHED)]
    """The costs of the latest sentences; only the steps are kept of all, and those of the band alone."""
    lead = ahead <= min(_MOST_SKIPPED, m - 1)
    rows[0][lead] = np.where(ahead[lead] > 0, _SKIP, 0.0) + _SKIP_PER_S * spoken[lead]
    steps: list[tuple[int, NDArray[np.int8]]] = [(0, np.zeros((0, 2), dtype=np.int8))]
    for i in range(1, n + 1):
        low, high = np.searchsorted(spoken, (written[i] * pace_s - band_s, written[i] * pace_s + band_s))
        low, high = max(1, min(int(low), m)), max(1, min(int(high), m))
        row = np.full(m + 1, _UNREACHED)
        step = np.zeros((high - low + 1, 2), dtype=np.int8)
        ends = ahead[low : high + 1]
        for count in range(1, min(_MOST_SENTENCES, i) + 1):
            expected_s = (written[i] - written[i - count]) * pace_s
            taken = np.arange(1, (_MOST_STRETCHES if count == 1 else 1) + 1)
            begins = np.maximum(ends[:, None] - taken, 0)
            off = (spoken[ends][:, None] - spoken[begins] - expected_s) / (_SPREAD_S + _TEMPO_SPREAD * expected_s)
            held = _INNER_PAUSE_PER_S * (inner[ends - 1][:, None] - inner[begins]) + _SAME_BREATH * (count - 1)
            found = np.where(ends[:, None] >= taken, rows[-count][begins] + off * off + held, _UNREACHED)
            best = found.argmin(axis=1)
            cost = found[np.arange(len(ends)), best]
            better = cost < row[ends]
            row[ends[better]] = cost[better]
            step[better, 0], step[better, 1] = count, taken[best[better]]
        rows = [*rows[1 - _MOST_SENTENCES :], row]
        steps.append((low, step))
    tail = np.where(ahead < m, _SKIP, 0.0) + _SKIP_PER_S * (spoken[-1] - spoken)
    tail[: max(0, m - _MOST_SKIPPED)] = _UNREACHED
    j = int(np.argmin(rows[-1] + tail))
    if rows[-1][j] >= _UNREACHED:
        return None
    way: list[tuple[int, int, int, int]] = []
    i = n
    while i > 0:
        low, step = steps[i]
        told, used = int(step[j - low, 0]), int(step[j - low, 1])
        way.append((i - told, told, j - used, j))
        i, j = i - told, j - used
    return way[::-1]
