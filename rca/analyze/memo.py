"""What the variants of a bundle have in common, worked out once: `explain` ranks it again without each source."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Results by what they were made of. Only a cache: no result depends on it.

    Args:
        lasting: False keeps nothing, for a bundle that is analysed once.
    """

    def __init__(self, *, lasting: bool = True) -> None:
        self.lasting = lasting
        self._made: dict[Hashable, tuple[tuple[object, ...], Any]] = {}

    def once(self, what: str, of: tuple[object, ...], make: Callable[[], T], *, values: Hashable = ()) -> T:
        """Make something, unless it was made of the same before.

        Args:
            what: Tells apart what is made of the same.
            of: What it is made of: compared by identity, and held, so that no other takes its place.
            make: Makes it.
            values: What else it depends on, compared by value.
        """
        if not self.lasting:
            return make()
        key = (what, tuple(map(id, of)), values)
        if key not in self._made:
            self._made[key] = of, make()
        found: T = self._made[key][1]
        return found

    def fork(self) -> "Memo":
        """Another that begins with what this one has, and gives nothing back."""
        other = Memo(lasting=self.lasting)
        other._made = dict(self._made)
        return other


NO_MEMO = Memo(lasting=False)
"""For a bundle that is analysed once."""
