"""The least one would write: pymodbus reads, paho publishes, one JSON for each device; nothing is judged or kept.

`python -m bench.peers.pymodbus_loop INTERVAL_US BROKER_PORT SLAVE_PORT...`
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from bench.formula import PROBE, TAG_LIST

_NAMES = [tag.name for tag in TAG_LIST]
_SCALES = [float(tag.scale) for tag in TAG_LIST]
_SWAPPED = [tag.register for tag in TAG_LIST if tag.order == "CDAB"]
_STRUCT = struct.Struct(">10h10H20i20f")


def decode(registers: list[int]) -> dict[str, float]:
    for at in _SWAPPED:
        registers[at], registers[at + 1] = registers[at + 1], registers[at]
    raws = _STRUCT.unpack(struct.pack(">100H", *registers))
    values = {name: round(raw * scale, 4) for name, raw, scale in zip(_NAMES, raws, _SCALES, strict=True)}
    values[_NAMES[PROBE]] = raws[PROBE]
    return values


async def poll(index: int, count: int, port: int, interval_s: float, start: float, broker: mqtt.Client) -> None:
    loop = asyncio.get_running_loop()
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=1, retries=0)
    await client.connect()
    due = start + interval_s * index / count
    while True:
        await asyncio.sleep(max(0.0, due - loop.time()))
        due = max(due + interval_s, loop.time())
        try:
            answer = await client.read_holding_registers(0, count=100, device_id=1)
        except ModbusException:
            if not client.connected:
                await client.connect()
            continue
        if not answer.isError():
            broker.publish(f"bench/{index}", json.dumps(decode(list(answer.registers))), qos=1)


def without_delay(_client: object, _data: object, opened: Any) -> None:
    """paho leaves Nagle's delay on."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


async def main() -> None:
    interval_us, broker_port, *ports = map(int, sys.argv[1:])
    broker = mqtt.Client(CallbackAPIVersion.VERSION2, "bench-pymodbus")
    broker.max_inflight_messages_set(1000)
    broker.on_socket_open = without_delay
    broker.reconnect_delay_set(1, 1)
    broker.connect("127.0.0.1", broker_port)
    broker.loop_start()
    start = asyncio.get_running_loop().time()
    polls = (poll(i, len(ports), port, interval_us / 1e6, start, broker) for i, port in enumerate(ports))
    await asyncio.gather(*polls)


if __name__ == "__main__":
    asyncio.run(main())
