"""A Modbus server made of libmodbus, as a process of its own: `python -m tests.fakes.libmodbus_server tcp PORT` or
`... rtu PATH BAUDRATE UNIT`. Holding register n holds n, coil n is set where n is a multiple of 3. Prints `ready`."""

from __future__ import annotations

import ctypes
import sys

HELD = 2000


class _Mapping(ctypes.Structure):
    """`modbus_mapping_t` of libmodbus 3.1."""

    _fields_ = (
        ("nb_bits", ctypes.c_int),
        ("start_bits", ctypes.c_int),
        ("nb_input_bits", ctypes.c_int),
        ("start_input_bits", ctypes.c_int),
        ("nb_input_registers", ctypes.c_int),
        ("start_input_registers", ctypes.c_int),
        ("nb_registers", ctypes.c_int),
        ("start_registers", ctypes.c_int),
        ("tab_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_bits", ctypes.POINTER(ctypes.c_uint8)),
        ("tab_input_registers", ctypes.POINTER(ctypes.c_uint16)),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16)),
    )


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL("libmodbus.so.5")
    library.modbus_new_tcp.restype = ctypes.c_void_p
    library.modbus_new_rtu.restype = ctypes.c_void_p
    library.modbus_mapping_new.restype = ctypes.POINTER(_Mapping)
    return library


def main(medium: str, *options: str) -> None:
    library = _load()
    mapping = library.modbus_mapping_new(HELD, HELD, HELD, HELD)
    for address in range(HELD):
        mapping.contents.tab_registers[address] = address
        mapping.contents.tab_bits[address] = address % 3 == 0
    query = (ctypes.c_uint8 * 300)()
    if medium == "tcp":
        context = ctypes.c_void_p(library.modbus_new_tcp(b"127.0.0.1", int(options[0])))
        listening = ctypes.c_int(library.modbus_tcp_listen(context, 1))
    else:
        path, baudrate, unit = options
        context = ctypes.c_void_p(library.modbus_new_rtu(path.encode(), int(baudrate), ctypes.c_char(b"N"), 8, 1))
        library.modbus_set_slave(context, int(unit))
        if library.modbus_connect(context) != 0:
            sys.exit("no port")
    print("ready", flush=True)
    while True:
        if medium == "tcp":
            library.modbus_tcp_accept(context, ctypes.byref(listening))
        while (received := library.modbus_receive(context, query)) >= 0:
            if received:
                library.modbus_reply(context, query, received, mapping)


if __name__ == "__main__":
    main(*sys.argv[1:])
