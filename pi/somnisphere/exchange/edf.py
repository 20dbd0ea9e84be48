"""EDF+ files (European Data Format, Kemp and Olivan 2003). The only file with edfio."""

import io
from datetime import UTC, datetime, timedelta

import edfio
import numpy as np

from somnisphere import __version__
from somnisphere.errors import UserError
from somnisphere.exchange.edf_night import DIGITAL_STEPS, UNKNOWN, EdfNight, Signal
from somnisphere.night import EPOCH_S

MOST_NAME = 60


def edf_bytes(night: EdfNight, utc_offset_s: float, name: str = "") -> bytes:
    """The whole file. ``name``: of the sleeper; "": the file names nobody."""
    local = datetime.fromtimestamp(night.start_s, UTC) + timedelta(seconds=utc_offset_s)
    file = edfio.Edf(
        [_signal(one) for one in night.signals],
        patient=edfio.Patient(name=_name(name)),
        recording=edfio.Recording(startdate=local.date(), equipment_code=f"Somnisphere_{__version__}"),
        starttime=local.time(),
        data_record_duration=EPOCH_S,
        annotations=[edfio.EdfAnnotation(one.onset_s, one.duration_s, one.text) for one in night.annotations],
    )
    to = io.BytesIO()
    file.write(to)
    return to.getvalue()


def _signal(signal: Signal) -> edfio.EdfSignal:
    samples = np.minimum(np.array(signal.samples, dtype=np.float64), signal.largest)
    return edfio.EdfSignal(
        samples,
        signal.rate_hz,
        label=signal.label,
        transducer_type=signal.transducer,
        physical_dimension=signal.unit,
        physical_range=(UNKNOWN, signal.largest),
        digital_range=(-32768, DIGITAL_STEPS - 32768),
        prefiltering=f"means of {1 / signal.rate_hz:g} s; {UNKNOWN:g}: not known",
    )


def _name(name: str) -> str:
    """As EDF+ wants it: printable ASCII without spaces."""
    joined = "_".join(name.split())
    if not joined.isascii() or not joined.isprintable() or len(joined) > MOST_NAME:
        raise UserError(f"--name {name!r}: EDF knows {MOST_NAME} plain letters at the most. Write it without accents.")
    return joined or "X"
