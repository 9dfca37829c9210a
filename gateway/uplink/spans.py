"""A set of sequence numbers kept as ranges: days of numbers sent in order cost one range."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last, both inclusive."""


class Spans:
    """Ranges that neither touch nor overlap, in order. Above `most` ranges the lowest are forgotten."""

    def __init__(self, ranges: Iterable[Range] = (), *, most: int = 10_000) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._most = most
        for first, last in ranges:
            self.add(first, last)

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __iter__(self) -> Iterator[Range]:
        return zip(self._firsts, self._lasts, strict=True)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def count(self) -> int:
        """How many numbers there are."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def add(self, first: int, last: int) -> None:
        """Put `first` to `last` in; what touches grows together."""
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]
        excess = len(self._firsts) - self._most
        if excess > 0:
            del self._firsts[:excess]
            del self._lasts[:excess]

    def remove(self, first: int, last: int) -> None:
        """Take `first` to `last` out, whether they are in or not."""
        low = bisect_left(self._lasts, first)
        high = bisect_right(self._firsts, last)
        if low >= high:
            return
        keep: list[Range] = []
        if self._firsts[low] < first:
            keep.append((self._firsts[low], first - 1))
        if self._lasts[high - 1] > last:
            keep.append((last + 1, self._lasts[high - 1]))
        self._firsts[low:high] = [begin for begin, _ in keep]
        self._lasts[low:high] = [end for _, end in keep]

    def shared(self, ranges: Iterable[Range]) -> list[Range]:
        """The parts of `ranges` that are in here, in the order of `ranges`."""
        found: list[Range] = []
        for first, last in ranges:
            at = bisect_left(self._lasts, first)
            while at < len(self._firsts) and self._firsts[at] <= last:
                found.append((max(first, self._firsts[at]), min(last, self._lasts[at])))
                at += 1
        return found
