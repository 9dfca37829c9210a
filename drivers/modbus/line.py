"""The line of a site file, opened: which link, which framing, which rules of time."""

from __future__ import annotations

from drivers.connection import Backoff
from drivers.links import Link, LoopLink
from drivers.modbus.bus_line import BusLine
from drivers.modbus.exchange import Exchange
from drivers.modbus.framing import Framing
from drivers.modbus.framing_ascii import AsciiFraming
from drivers.modbus.framing_mbap import MbapFraming
from drivers.modbus.framing_rtu import RtuFraming
from drivers.modbus.options import ModbusLine
from drivers.modbus.transaction_line import TransactionLine
from drivers.network_link import NetworkEndpoint
from drivers.serial_link import SerialEndpoint, SerialSettings
from gateway.ports import Clock, Line
from gateway.settings.types import LineSettings

#: Above this speed the silence is fixed (Modbus over Serial Line V1.02, section 2.5.1.1).
_FIXED_ABOVE_BAUD = 19_200
_FIXED_SILENCE_S = 0.00175
#: A pause inside a frame is shorter than this, whatever an adapter or the scheduler does to it.
_QUIET_S = 0.05
_SERIAL_BACKOFF = (0.5, 5.0)
#: Longest wait between attempts to connect: what is back is read within ten seconds, and nobody is stormed.
_NETWORK_BACKOFF = (1.0, 10.0)


def silence_s(port: SerialSettings) -> float:
    """Silence before a request: 3.5 characters, 1.75 ms above 19,200 baud."""
    return _FIXED_SILENCE_S if port.baudrate > _FIXED_ABOVE_BAUD else 3.5 * port.char_s


def serial_settings(options: ModbusLine) -> SerialSettings:
    """The port of a serial line."""
    if options.serial is None:
        raise ValueError("the line is not serial")
    return SerialSettings(
        options.serial,
        options.baudrate,
        options.parity,
        options.stopbits,
        options.bytesize,
        options.rs485,
        options.rts_delay,
        options.low_latency,
    )


def open_line(line: LineSettings, clock: Clock) -> Line:
    """The line, not yet connected: the first request connects it. Needs a running event loop from then on."""
    options = line.options
    if not isinstance(options, ModbusLine):
        raise TypeError(f"line {line.id} is not a Modbus line")
    if options.serial is not None:
        port = serial_settings(options)
        exchange = Exchange(
            LoopLink(SerialEndpoint(port)),
            _bus_framing(options),
            clock,
            quiet_s=max(_QUIET_S, 8 * port.char_s),
            open_s=options.connect_timeout,
            backoff=Backoff(*_SERIAL_BACKOFF),
        )
        return BusLine(exchange, clock, gap_s=silence_s(port), char_s=port.char_s, reopens=False)
    link = _network_link(options)
    if options.framing == "tcp":
        exchange = _network_exchange(link, MbapFraming(datagrams=options.udp is not None), options, clock)
        return TransactionLine(exchange, clock)
    exchange = _network_exchange(link, _bus_framing(options), options, clock)
    return BusLine(exchange, clock, gap_s=0.0, char_s=0.0, reopens=True)


def _bus_framing(options: ModbusLine) -> Framing:
    echo = True if options.echo else None
    return AsciiFraming(echo) if options.framing == "ascii" else RtuFraming(echo)


def _network_link(options: ModbusLine) -> Link:
    if options.udp is not None:
        return LoopLink(NetworkEndpoint(*_host_port(options.udp), datagrams=True))
    if options.tcp is None:
        raise ValueError("the line has no endpoint")
    return LoopLink(NetworkEndpoint(*_host_port(options.tcp)))


def _network_exchange(link: Link, framing: Framing, options: ModbusLine, clock: Clock) -> Exchange:
    return Exchange(
        link, framing, clock, quiet_s=_QUIET_S, open_s=options.connect_timeout, backoff=Backoff(*_NETWORK_BACKOFF)
    )


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
