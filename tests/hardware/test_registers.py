"""Register maps against bytes copied by hand from the datasheets, so that one slip in a map is one failed line."""

import pytest

from somnisphere_hardware import adxl345, lis3dh, max30102, mpu6050
from somnisphere_hardware.registers import Field, Register, RegisterMap

# (map, register, address, fields, byte), transcribed from the datasheets' tables, not from the code.
GOLDEN: list[tuple[RegisterMap, str, int, dict[str, int], int]] = [
    (max30102.MAP, "INT_STATUS_1", 0x00, {"a_full": 1}, 0b1000_0000),
    (max30102.MAP, "INT_STATUS_1", 0x00, {"ppg_rdy": 1}, 0b0100_0000),
    (max30102.MAP, "INT_STATUS_1", 0x00, {"alc_ovf": 1}, 0b0010_0000),
    (max30102.MAP, "INT_STATUS_1", 0x00, {"pwr_rdy": 1}, 0b0000_0001),
    (max30102.MAP, "INT_STATUS_2", 0x01, {"die_temp_rdy": 1}, 0b0000_0010),
    (max30102.MAP, "INT_ENABLE_1", 0x02, {"a_full": 1}, 0b1000_0000),
    (max30102.MAP, "FIFO_WR_PTR", 0x04, {"pointer": 31}, 0b0001_1111),
    (max30102.MAP, "OVF_COUNTER", 0x05, {"lost": 31}, 0b0001_1111),
    (max30102.MAP, "FIFO_RD_PTR", 0x06, {"pointer": 31}, 0b0001_1111),
    (max30102.MAP, "FIFO_CONFIG", 0x08, {"averaging": 2, "a_full": 15}, 0b0100_1111),
    (max30102.MAP, "FIFO_CONFIG", 0x08, {"rollover": 1}, 0b0001_0000),
    (max30102.MAP, "MODE", 0x09, {"shutdown": 1, "mode": 3}, 0b1000_0011),
    (max30102.MAP, "MODE", 0x09, {"reset": 1}, 0b0100_0000),
    (max30102.MAP, "MODE", 0x09, {"mode": 7}, 0b0000_0111),
    (max30102.MAP, "SPO2_CONFIG", 0x0A, {"range": 1, "rate": 1, "pulse": 3}, 0b0010_0111),
    (max30102.MAP, "SPO2_CONFIG", 0x0A, {"range": 3, "rate": 7, "pulse": 0}, 0b0111_1100),
    (max30102.MAP, "LED1_PA", 0x0C, {"current": 0x1F}, 0x1F),
    (max30102.MAP, "LED2_PA", 0x0D, {"current": 0xFF}, 0xFF),
    (max30102.MAP, "PILOT_PA", 0x10, {"current": 0x7F}, 0x7F),
    (max30102.MAP, "SLOTS_12", 0x11, {"slot2": 2, "slot1": 1}, 0b0010_0001),
    (max30102.MAP, "SLOTS_34", 0x12, {"slot4": 2, "slot3": 1}, 0b0010_0001),
    (max30102.MAP, "TEMP_FRACTION", 0x20, {"sixteenths": 15}, 0b0000_1111),
    (max30102.MAP, "TEMP_ENABLE", 0x21, {"enable": 1}, 0b0000_0001),
    (mpu6050.MAP, "CONFIG", 0x1A, {"dlpf": 5}, 0b0000_0101),
    (mpu6050.MAP, "CONFIG", 0x1A, {"ext_sync": 1}, 0b0000_1000),
    (mpu6050.MAP, "GYRO_CONFIG", 0x1B, {"range": 3}, 0b0001_1000),
    (mpu6050.MAP, "ACCEL_CONFIG", 0x1C, {"range": 1}, 0b0000_1000),
    (mpu6050.MAP, "ACCEL_CONFIG_2", 0x1D, {"dlpf": 5}, 0b0000_0101),
    (mpu6050.MAP, "FIFO_EN", 0x23, {"accel": 1}, 0x08),
    (mpu6050.MAP, "FIFO_EN", 0x23, {"temp": 1}, 0x80),
    (mpu6050.MAP, "FIFO_EN", 0x23, {"gyro": 7}, 0x70),
    (mpu6050.MAP, "INT_STATUS", 0x3A, {"fifo_overflow": 1}, 0x10),
    (mpu6050.MAP, "USER_CTRL", 0x6A, {"fifo_en": 1}, 0x40),
    (mpu6050.MAP, "USER_CTRL", 0x6A, {"fifo_reset": 1}, 0x04),
    (mpu6050.MAP, "PWR_MGMT_1", 0x6B, {"reset": 1}, 0x80),
    (mpu6050.MAP, "PWR_MGMT_1", 0x6B, {"sleep": 1}, 0x40),
    (mpu6050.MAP, "PWR_MGMT_1", 0x6B, {"cycle": 1, "temp_dis": 1, "clock": 1}, 0b0010_1001),
    (mpu6050.MAP, "PWR_MGMT_2", 0x6C, {"wake": 1, "gyro_standby": 7}, 0b0100_0111),
    (lis3dh.MAP, "CTRL_REG1", 0x20, {"rate": 3, "axes": 7}, 0x37),
    (lis3dh.MAP, "CTRL_REG1", 0x20, {"low_power": 1}, 0x08),
    (lis3dh.MAP, "CTRL_REG4", 0x23, {"block_update": 1, "high_resolution": 1}, 0x88),
    (lis3dh.MAP, "CTRL_REG4", 0x23, {"range": 3}, 0x30),
    (lis3dh.MAP, "CTRL_REG5", 0x24, {"fifo_en": 1}, 0x40),
    (lis3dh.MAP, "CTRL_REG5", 0x24, {"boot": 1}, 0x80),
    (lis3dh.MAP, "FIFO_CTRL", 0x2E, {"mode": 2}, 0x80),
    (lis3dh.MAP, "FIFO_SRC", 0x2F, {"watermark": 1}, 0x80),
    (lis3dh.MAP, "FIFO_SRC", 0x2F, {"overrun": 1, "level": 31}, 0x5F),
    (lis3dh.MAP, "FIFO_SRC", 0x2F, {"empty": 1}, 0x20),
    (adxl345.MAP, "BW_RATE", 0x2C, {"rate": 7}, 0x07),
    (adxl345.MAP, "BW_RATE", 0x2C, {"low_power": 1, "rate": 10}, 0x1A),
    (adxl345.MAP, "POWER_CTL", 0x2D, {"measure": 1}, 0x08),
    (adxl345.MAP, "POWER_CTL", 0x2D, {"sleep": 1}, 0x04),
    (adxl345.MAP, "DATA_FORMAT", 0x31, {"full_res": 1, "range": 3}, 0x0B),
    (adxl345.MAP, "INT_SOURCE", 0x30, {"data_ready": 1, "overrun": 1}, 0x81),
    (adxl345.MAP, "FIFO_CTL", 0x38, {"mode": 2, "samples": 16}, 0x90),
    (adxl345.MAP, "FIFO_STATUS", 0x39, {"trigger": 1, "entries": 32}, 0xA0),
]
PLAIN_ADDRESSES: list[tuple[RegisterMap, str, int]] = [
    (max30102.MAP, "FIFO_DATA", 0x07),
    (max30102.MAP, "TEMP_INTEGER", 0x1F),
    (max30102.MAP, "PROX_INT_THRESH", 0x30),
    (max30102.MAP, "REVISION_ID", 0xFE),
    (max30102.MAP, "PART_ID", 0xFF),
    (mpu6050.MAP, "SMPLRT_DIV", 0x19),
    (mpu6050.MAP, "FIFO_COUNT_H", 0x72),
    (mpu6050.MAP, "FIFO_COUNT_L", 0x73),
    (mpu6050.MAP, "FIFO_R_W", 0x74),
    (mpu6050.MAP, "WHO_AM_I", 0x75),
    (lis3dh.MAP, "WHO_AM_I", 0x0F),
    (adxl345.MAP, "DEVID", 0x00),
]


@pytest.mark.parametrize(("registers", "name", "address", "fields", "byte"), GOLDEN)
def test_fields_lie_where_the_datasheet_says(
    registers: RegisterMap, name: str, address: int, fields: dict[str, int], byte: int
) -> None:
    register = registers[name]
    assert register.address == address
    assert register.encode(**fields) == byte
    decoded = register.decode(byte)
    assert {key: decoded[key] for key in fields} == fields
    assert all(value == 0 for key, value in decoded.items() if key not in fields)


@pytest.mark.parametrize(("registers", "name", "address"), PLAIN_ADDRESSES)
def test_registers_without_fields_have_the_datasheets_address(registers: RegisterMap, name: str, address: int) -> None:
    assert registers[name].address == address


def test_every_field_is_in_the_golden_table() -> None:
    maps = (max30102.MAP, mpu6050.MAP, lis3dh.MAP, adxl345.MAP)
    covered = {(registers.chip, name, field) for registers, name, _, fields, _ in GOLDEN for field in fields}
    declared = {
        (registers.chip, register.name, field.name)
        for registers in maps
        for address in range(256)
        if (register := registers.at(address)) is not None
        for field in register.fields
    }
    not_used = {
        ("MAX30102", "INT_STATUS_1", "prox"),
        ("MAX30102", "INT_ENABLE_1", "ppg_rdy"),
        ("MAX30102", "INT_ENABLE_1", "alc_ovf"),
        ("MAX30102", "INT_ENABLE_1", "prox"),
        ("MAX30102", "INT_ENABLE_2", "die_temp_rdy"),
        ("MPU-6050", "INT_STATUS", "data_ready"),
        ("MPU-6050", "PWR_MGMT_2", "accel_standby"),
        ("LIS3DH", "FIFO_CTRL", "threshold"),
        ("ADXL345", "DATA_FORMAT", "justify"),
        ("ADXL345", "INT_SOURCE", "watermark"),
    }
    assert declared - covered == not_used


def test_a_burst_is_described_in_words() -> None:
    assert max30102.MAP.describe(0x08, bytes([0x00, 0x03, 0x23, 0x99, 0x20])) == [
        "FIFO_CONFIG 0x00: averaging=1 rollover=0 a_full=0",
        "MODE 0x03: shutdown=0 reset=0 mode=red+ir",
        "SPO2_CONFIG 0x23: range=4096 nA rate=50/s pulse=411 us",
        "LED1_PA 0x20: current=32",
    ]


def test_what_does_not_fit_is_refused() -> None:
    register = Register(0x10, "R", (Field("a", 3, 2),))
    with pytest.raises(ValueError, match="field a: 4 does not fit into bits 3:2"):
        register.encode(a=4)
    with pytest.raises(ValueError, match="register R has no field 'b'; it has a"):
        register.encode(b=1)
    with pytest.raises(ValueError, match="overlaps"):
        Register(0x10, "R", (Field("a", 3, 2), Field("b", 2, 0)))
    with pytest.raises(ValueError, match="not bits of a byte"):
        Field("a", 8, 0)
    with pytest.raises(ValueError, match="more names than values"):
        Field("a", 0, 0, ("x", "y", "z"))
    with pytest.raises(ValueError, match="declared twice"):
        RegisterMap("C", Register(1, "A"), Register(1, "B"))
