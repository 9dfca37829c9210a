"""A unit's answers: what exists, what does not, what may be written."""

from __future__ import annotations

import struct

from gateway.model import Value
from gateway.sim.memory import Cell, Memory
from gateway.sim.pdu import answer
from gateway.sim.registers import Field, Table

H, C, D = Table.HOLDING, Table.COIL, Table.DISCRETE


class Unit:
    def __init__(self) -> None:
        self.values: dict[str, Value] = {
            "level": 3.5,
            "alarm": True,
            "warning": False,
            "mode": "auto",
            "pump": False,
            "door": True,
            "siren": False,
        }
        self.memory = Memory(
            [
                Cell("level", Field(H, 10, "float32")),
                Cell("alarm", Field(H, 12, mask=1 << 0)),
                Cell("warning", Field(H, 12, mask=1 << 1)),
                Cell("mode", Field(H, 20, words={0: "off", 1: "auto", 2: "manual"})),
                Cell("pump", Field(C, 3, "bool")),
                Cell("siren", Field(C, 4, "bool")),
                Cell("door", Field(D, 0, "bool")),
            ],
            self.values.__getitem__,
            self.write,
        )

    def write(self, name: str, value: Value) -> bool:
        if name == "level":
            return False
        self.values[name] = value
        return True

    def ask(self, text: str) -> str:
        return answer(self.memory, bytes.fromhex(text)).hex(" ")


def test_reads() -> None:
    unit = Unit()
    assert unit.ask("03 000a 0003") == "03 06 " + struct.pack(">fH", 3.5, 1).hex(" ")
    assert unit.ask("03 000b 0001") == "03 02 00 00"
    assert unit.ask("02 0000 0001") == "02 01 01"
    assert unit.ask("01 0003 0002") == "01 01 00"


def test_bits_of_one_register_come_together() -> None:
    unit = Unit()
    unit.values["warning"] = True
    assert unit.ask("03 000c 0001") == "03 02 00 03"


def test_words_decide_where_a_register_is_also_a_number() -> None:
    values: dict[str, Value] = {"code": 0x1234, "mode": "manual"}
    cells = [Cell("code", Field(H, 0)), Cell("mode", Field(H, 0, bit=4, width=4, words={1: "auto", 7: "manual"}))]
    memory = Memory(cells, values.__getitem__, lambda name, value: True)
    assert memory.read(H, 0, 1) == [0x1274]


def test_addresses_without_a_point_are_refused() -> None:
    unit = Unit()
    for request in ("03 000d 0001", "03 000c 0002", "04 000a 0001", "01 0002 0001", "06 000d 0001", "05 0000 ff00"):
        assert unit.ask(request) == f"{0x80 | int(request[:2], 16):02x} 02", request


def test_gaps_between_points_of_a_table_read_as_zero_where_served() -> None:
    values: dict[str, Value] = {"low": 7, "high": 9, "flag": True}
    cells = [Cell("low", Field(H, 10)), Cell("high", Field(H, 14)), Cell("flag", Field(C, 3, "bool"))]
    memory = Memory(cells, values.__getitem__, lambda name, value: True, serves_gaps=True)
    assert memory.read(H, 10, 5) == [7, 0, 0, 0, 9]
    assert memory.read(H, 11, 2) == [0, 0]
    for table, first, count in ((H, 9, 2), (H, 14, 2), (C, 2, 1), (C, 4, 1), (D, 0, 1)):
        assert memory.read(table, first, count) is None
    assert not memory.write(H, 12, [1])


def test_odd_requests_are_refused() -> None:
    unit = Unit()
    for request, code in (
        ("03 000a 0000", 3),
        ("03 000a 007e", 3),
        ("05 0003 1234", 3),
        ("10 0014 0001 04 0001", 3),
        ("03 000a", 3),
        ("2b 0e 01 00", 1),
    ):
        assert unit.ask(request) == f"{0x80 | int(request[:2], 16):02x} {code:02x}", request


def test_writes_reach_the_point_and_echo() -> None:
    unit = Unit()
    assert unit.ask("06 0014 0002") == "06 00 14 00 02"
    assert unit.values["mode"] == "manual"
    assert unit.ask("10 0014 0001 02 0000") == "10 00 14 00 01"
    assert unit.values["mode"] == "off"
    assert unit.ask("05 0003 ff00") == "05 00 03 ff 00"
    assert unit.ask("0f 0003 0002 01 02") == "0f 00 03 00 02"
    assert (unit.values["pump"], unit.values["siren"]) == (False, True)
    assert unit.ask("16 000c ffff 0000") == "16 00 0c ff ff 00 00"
    assert unit.ask("16 000c fffe 0000") == "16 00 0c ff fe 00 00"
    assert (unit.values["alarm"], unit.values["warning"]) == (False, False)


def test_what_cannot_be_written_is_refused() -> None:
    unit = Unit()
    assert unit.ask("10 000a 0002 04 41200000") == "90 02"
    assert unit.values["level"] == 3.5


def test_words_decide_over_flags_and_true_flags_over_numbers() -> None:
    values: dict[str, Value] = {"state": "fault", "faulty": False, "failed": True, "code": 5}
    memory = Memory(
        [
            Cell("code", Field(H, 1)),
            Cell("failed", Field(H, 1, true_when=((47, 47),))),
            Cell("faulty", Field(H, 0, true_when=((4, 4),))),
            Cell("state", Field(H, 0, words={3: "stopped", 4: "fault"})),
        ],
        values.__getitem__,
        lambda name, value: True,
    )
    assert memory.read(H, 0, 2) == [4, 47]
    values["failed"] = False
    assert memory.read(H, 0, 2) == [4, 5]
