"""What can be wrong with a bedside, staged one at a time: each with the parts that are bad then, and words of it."""

from tests.doctor_faults import bedside, house, machine
from tests.doctor_faults.fault import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "bedside", "house", "machine"]
