"""Makes pictures of pages small: their colours as a palette. Only what a headless chromium writes is read."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from functools import partial

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
MOST_COLOURS = 256


def shrink(png: bytes) -> bytes:
    """The same picture with its 256 most frequent colours; of the others each becomes the nearest of these."""
    width, height, pixels = _read(png)
    counts = Counter(pixels[place : place + 3] for place in range(0, len(pixels), 3))
    palette = [colour for colour, _ in counts.most_common(MOST_COLOURS)]
    index = {colour: number for number, colour in enumerate(palette)}
    for colour in counts.keys() - index.keys():
        index[colour] = index[min(palette, key=partial(_distance, colour))]
    return _write(width, height, bytes(index[pixels[place : place + 3]] for place in range(0, len(pixels), 3)), palette)


def _distance(one: bytes, other: bytes) -> int:
    return sum((left - right) ** 2 for left, right in zip(one, other, strict=True))


def _read(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and the pixels as RGB."""
    if not png.startswith(SIGNATURE):
        raise ValueError("no PNG")
    place, data = len(SIGNATURE), b""
    width = height = channels = 0
    while place < len(png):
        (size,), kind = struct.unpack_from(">I", png, place), png[place + 4 : place + 8]
        body = png[place + 8 : place + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack_from(">IIBB", body)
            if depth != 8 or colour not in _CHANNELS or body[12]:
                raise ValueError("not the kind of PNG that a browser writes")
            channels = _CHANNELS[colour]
        elif kind == b"IDAT":
            data += body
        place += size + 12
    return width, height, _unfilter(zlib.decompress(data), width * channels, height, channels)


def _unfilter(data: bytes, stride: int, height: int, channels: int) -> bytes:
    """Rows without their filters (PNG 1.2, section 6), alpha left out."""
    above = bytearray(stride)
    found = []
    for number in range(height):
        begin = number * (stride + 1)
        how, row = data[begin], bytearray(data[begin + 1 : begin + 1 + stride])
        for place in range(stride):
            left = row[place - channels] if place >= channels else 0
            if how == 1:
                row[place] = (row[place] + left) & 255
            elif how == 2:
                row[place] = (row[place] + above[place]) & 255
            elif how == 3:
                row[place] = (row[place] + (left + above[place]) // 2) & 255
            elif how == 4:
                corner = above[place - channels] if place >= channels else 0
                row[place] = (row[place] + _paeth(left, above[place], corner)) & 255
        above = row
        if channels == 4:
            row = bytearray(value for place, value in enumerate(row) if place % 4 != 3)
        found.append(bytes(row))
    return b"".join(found)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    far = abs(guess - left), abs(guess - above), abs(guess - corner)
    return (left, above, corner)[far.index(min(far))]


def _write(width: int, height: int, numbers: bytes, palette: list[bytes]) -> bytes:
    rows = b"".join(b"\0" + numbers[row * width : (row + 1) * width] for row in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
