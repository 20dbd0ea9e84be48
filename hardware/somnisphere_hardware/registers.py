"""Registers as data: a chip's map is declared once, and its driver, the `doctor` command and the docs read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """Bits ``high`` down to ``low`` of a register. ``words`` names its values where they are names, not numbers."""

    name: str
    high: int
    low: int
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 7:
            raise ValueError(f"field {self.name}: bits {self.high}:{self.low} are not bits of a byte")
        if len(self.words) > 1 << (self.high - self.low + 1):
            raise ValueError(f"field {self.name}: more names than values")

    @property
    def mask(self) -> int:
        return ((1 << (self.high - self.low + 1)) - 1) << self.low

    def place(self, value: int) -> int:
        """``value`` shifted to its bits."""
        if not 0 <= value <= self.mask >> self.low:
            raise ValueError(f"field {self.name}: {value} does not fit into bits {self.high}:{self.low}")
        return value << self.low

    def take(self, byte: int) -> int:
        return (byte & self.mask) >> self.low


@dataclass(frozen=True, slots=True)
class Register:
    """One byte of a chip. ``reset``: its value after power-up, None where that differs from part to part."""

    address: int
    name: str
    fields: tuple[Field, ...] = ()
    reset: int | None = 0

    def __post_init__(self) -> None:
        seen = 0
        for field in self.fields:
            if seen & field.mask:
                raise ValueError(f"register {self.name}: field {field.name} overlaps another")
            seen |= field.mask

    def encode(self, **values: int) -> int:
        """The byte with these fields set and every other bit 0."""
        by_name = {field.name: field for field in self.fields}
        byte = 0
        for name, value in values.items():
            if name not in by_name:
                raise ValueError(f"register {self.name} has no field {name!r}; it has {', '.join(by_name)}")
            byte |= by_name[name].place(value)
        return byte

    def decode(self, byte: int) -> dict[str, int]:
        return {field.name: field.take(byte) for field in self.fields}

    def describe(self, byte: int) -> str:
        """The byte in words: ``MODE 0x83: shutdown=1 mode=red+ir``."""
        parts = []
        for field in self.fields:
            value = field.take(byte)
            parts.append(f"{field.name}={field.words[value] if value < len(field.words) else value}")
        return f"{self.name} 0x{byte:02x}" + (": " + " ".join(parts) if parts else "")


class RegisterMap:
    """All registers of a chip, found by name or by address."""

    def __init__(self, chip: str, *registers: Register) -> None:
        self.chip = chip
        self._by_name = {register.name: register for register in registers}
        self._by_address = {register.address: register for register in registers}
        if not len(registers) == len(self._by_name) == len(self._by_address):
            raise ValueError(f"{chip}: a register name or address is declared twice")

    def __getitem__(self, name: str) -> Register:
        return self._by_name[name]

    def at(self, address: int) -> Register | None:
        return self._by_address.get(address)

    def describe(self, first: int, data: bytes) -> list[str]:
        """A burst from address ``first`` on, one line each; bytes of undeclared registers are left out."""
        return [register.describe(byte) for i, byte in enumerate(data) if (register := self.at(first + i)) is not None]
