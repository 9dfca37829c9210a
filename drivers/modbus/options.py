"""The keys of a Modbus line and device in site files and profiles; those of a point are in `point_options`.

What a key can get wrong by itself, or together with the keys before it in the same entry, is said here and at that key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from drivers.modbus.address import AddressRange, parse_range
from drivers.modbus.keys import wrong
from gateway.settings.durations import DURATION_SCHEMA, parse_duration

Seconds: TypeAlias = Annotated[float, PlainValidator(parse_duration), WithJsonSchema(DURATION_SCHEMA)]
Framing: TypeAlias = Literal["rtu", "ascii", "tcp"]

_RANGE_SCHEMA = {"type": "string", "pattern": r"^(holding|input|coil|discrete):\d+(\.\.\d+)?$"}


def _hide_default(schema: dict[str, Any]) -> None:
    """The default depends on other keys; the description says how."""
    schema.pop("default", None)


def _parse_host(value: object) -> str:
    """`host:port`, port 502 where none is given; the host in lower case, IPv6 in brackets."""
    text = value.strip().lower() if isinstance(value, str) else ""
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, "502"
    good_port = port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535
    if not host or not good_port or any(mark in host for mark in " /") or (":" in host and not host.startswith("[")):
        raise wrong(
            f"{value!r} 不是主机和端口",
            f"{value!r} is not host:port",
            "请写如 10.0.0.5:502",
            "write for instance 10.0.0.5:502",
        )
    return f"{host}:{int(port)}"


Host: TypeAlias = Annotated[
    str, PlainValidator(_parse_host), WithJsonSchema({"type": "string", "examples": ["10.0.0.5:502"]})
]


class ModbusLine(BaseModel):
    """One serial port or network endpoint. Exactly one of `serial`, `tcp` and `udp`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    serial: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Device path, best a stable one below /dev/serial/by-id"
    )
    tcp: Host | None = Field(None, description="host:port; port 502 where none is given")
    udp: Host | None = Field(None, description="host:port; port 502 where none is given")
    framing: Framing = Field(
        None,  # filled by the validator
        validate_default=True,
        json_schema_extra=_hide_default,
        description="rtu or ascii (serial, or through a serial server), tcp; default: rtu on serial, else tcp",
    )
    baudrate: int = Field(
        9600, ge=300, le=4_000_000, description="Speed of the serial line, also of the one behind a serial server"
    )
    parity: Literal["N", "E", "O"] = Field("N", description="Parity bit: none, even, odd")
    stopbits: Literal[1, 2] = Field(1, description="Stop bits")
    bytesize: Literal[7, 8] = Field(
        None,  # filled by the validator
        validate_default=True,
        json_schema_extra=_hide_default,
        description="Data bits; default 8, with framing ascii 7",
    )
    turnaround: Seconds = Field(
        None,  # filled by the validator
        validate_default=True,
        json_schema_extra=_hide_default,
        description="How long devices take to begin their answer, for planning; default 20ms, with framing tcp 5ms",
    )
    connect_timeout: Seconds = Field(3.0, description="How long a connection may take to come up")
    echo: bool = Field(False, description="The adapter hears what it sends; its own bytes are taken off")
    rs485: bool = Field(False, description="Let the kernel switch the transmitter by RTS (RS-485 mode of the port)")
    rts_delay: Seconds = Field(0.0, description="With rs485: time between switching and sending, and after sending")
    low_latency: bool = Field(True, description="Ask the kernel for the low-latency mode of the port where it has one")

    @field_validator("framing", mode="before")
    @classmethod
    def _default_framing(cls, value: object, info: ValidationInfo) -> object:
        serial = info.data.get("serial") is not None
        if value is None:
            return "rtu" if serial else "tcp"
        if value == "tcp" and serial:
            raise wrong(
                "串口上没有 tcp 帧",
                "there is no tcp framing on a serial line",
                "请写 rtu 或 ascii",
                "write rtu or ascii",
            )
        return value

    @field_validator("bytesize", mode="before")
    @classmethod
    def _default_bytesize(cls, value: object, info: ValidationInfo) -> object:
        framing = info.data.get("framing")
        if value is None:
            return 7 if framing == "ascii" else 8
        if value == 7 and framing == "rtu":
            raise wrong(
                "rtu 帧需要 8 个数据位",
                "framing rtu needs 8 data bits",
                "请写 8，或 framing: ascii",
                "write 8, or framing: ascii",
            )
        return value

    @field_validator("turnaround", mode="before")
    @classmethod
    def _default_turnaround(cls, value: object, info: ValidationInfo) -> object:
        if value is None:
            return "5ms" if info.data.get("framing") == "tcp" else "20ms"
        return value

    @field_validator("turnaround", "connect_timeout", "rts_delay")
    @classmethod
    def _below_a_minute(cls, value: float) -> float:
        return _check_seconds(value, 0.0, 60.0)

    @field_validator("rs485", "rts_delay")
    @classmethod
    def _only_serial(cls, value: bool | float, info: ValidationInfo) -> bool | float:
        if value and "serial" in info.data and info.data["serial"] is None:
            raise wrong("只有串口有 RTS", "only a serial port has RTS", "请去掉这个键", "leave this key out")
        return value

    @model_validator(mode="after")
    def _one_medium(self) -> Self:
        if sum(medium is not None for medium in (self.serial, self.tcp, self.udp)) != 1:
            raise wrong(
                "线路要有 serial、tcp、udp 三者之一，且只有一个",
                "a line has exactly one of serial, tcp and udp",
                '串口写 serial: /dev/...，网络写 tcp: "主机:502"',
                'write serial: /dev/... for a port, tcp: "host:502" for a network device',
            )
        return self

    @property
    def endpoint(self) -> str:
        """What two lines may not share."""
        if self.serial is not None:
            return f"serial:{self.serial}"
        return f"tcp:{self.tcp}" if self.tcp is not None else f"udp:{self.udp}"


Range: TypeAlias = Annotated[AddressRange, PlainValidator(parse_range), WithJsonSchema(_RANGE_SCHEMA)]


class ModbusDevice(BaseModel):
    """One unit on a line, and what it can and cannot answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: int = Field(ge=0, le=255, description="Unit id; 0 only over tcp and udp", examples=[3])
    timeout: Seconds = Field(1.0, description="How long to wait for an answer")
    turnaround: Seconds | None = Field(None, description="Where it differs from the line's")
    max_registers: int = Field(125, ge=1, le=125, description="The most registers the device gives in one answer")
    max_bits: int = Field(2000, ge=1, le=2000, description="The most coils or discretes the device gives in one answer")
    max_gap: int | None = Field(
        None,
        ge=0,
        le=2000,
        description="The most addresses without a point that a read may cross; 0 for devices that refuse gaps",
    )
    forbidden: tuple[Range, ...] = Field((), description="Addresses never to be read, such as holding:10..20")
    starts: tuple[Range, ...] = Field(
        (), description="The only addresses where reads of these tables may start, such as holding:256"
    )
    align: int = Field(1, ge=1, le=125, description="Reads start at multiples of this address")

    @field_validator("timeout")
    @classmethod
    def _sane_timeout(cls, value: float) -> float:
        return _check_seconds(value, 0.01, 60.0)

    @field_validator("turnaround")
    @classmethod
    def _sane_turnaround(cls, value: float | None) -> float | None:
        return value if value is None else _check_seconds(value, 0.0, 60.0)


def _check_seconds(value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise wrong(
            f"{value:g} 秒不合理",
            f"{value:g} s makes no sense here",
            f"请写 {least:g} 秒到 {most:g} 秒",
            f"write between {least:g} s and {most:g} s",
        )
    return value
