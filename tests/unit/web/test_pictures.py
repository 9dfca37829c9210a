"""The pictures of the README: there, small, and all that there are."""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest

from tests.pictures import FOLDER, PICTURES, Picture
from tests.png import SIGNATURE, shrink

ROOT = Path(__file__).parents[3]
MOST_BYTES = 150_000


def test_the_readme_shows_each_of_them() -> None:
    shown = set(re.findall(r"docs/pictures/([a-z-]+)\.png", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert shown == {picture.name for picture in PICTURES} == {file.stem for file in FOLDER.iterdir()}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_each_is_small_and_of_its_size(picture: Picture) -> None:
    png = (FOLDER / f"{picture.name}.png").read_bytes()
    assert png.startswith(SIGNATURE)
    assert len(png) < MOST_BYTES
    assert struct.unpack_from(">II", png, 16) == picture.size


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("how", range(5))
def test_a_picture_of_few_colours_stays_what_it_is(how: int) -> None:
    """Every filter of PNG is undone: the same rows, written with each, give the same picture."""
    width, height = 5, 4
    rows = [bytes((row * 40 + place * 7) % 256 for place in range(width * 3)) for row in range(height)]
    written, above = b"", bytes(width * 3)
    for row in rows:
        filtered = bytearray()
        for place, value in enumerate(row):
            left = row[place - 3] if place >= 3 else 0
            corner = above[place - 3] if place >= 3 else 0
            up = above[place]
            guess = left + up - corner
            nearest = min((left, up, corner), key=lambda each: abs(guess - each))
            filtered.append((value - (0, left, up, (left + up) // 2, nearest)[how]) & 255)
        written += bytes([how]) + bytes(filtered)
        above = row
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = SIGNATURE + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(written)) + chunk(b"IEND", b"")
    small = shrink(png)
    palette = small[small.index(b"PLTE") + 4 :]
    (size,) = struct.unpack_from(">I", small, small.index(b"IDAT") - 4)
    data = zlib.decompress(small[small.index(b"IDAT") + 4 :][:size])
    numbers = [data[row * (width + 1) + 1 : (row + 1) * (width + 1)] for row in range(height)]
    assert [b"".join(palette[3 * each : 3 * each + 3] for each in row) for row in numbers] == rows
