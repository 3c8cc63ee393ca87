"""Series that measure the same elsewhere: what is usual among them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rca.model.medians import medians
from rca.model.signals import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Peers:
    """Groups of series.

    Attributes:
        blocks: Groups of one size each: shape `(groups, size)`, the members of each.
    """

    blocks: tuple[NDArray[np.intp], ...]

    @classmethod
    def of(cls, groups: NDArray[np.intp], some: NDArray[np.intp] | None = None) -> "Peers":
        """Arrange them.

        Args:
            groups: Shape `(m,)`, the group of each series.
            some: Only the groups that these series are in; None for all.
        """
        members = np.argsort(groups, kind="stable")
        if some is not None:
            members = members[np.isin(groups[members], groups[some])]
        _, first, sizes = np.unique(groups[members], return_index=True, return_counts=True)
        return cls(
            tuple(members[first[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes).tolist())
        )

    def medians(self, values: FloatArray) -> FloatArray:
        """The median of each group's values that are finite and above 0; 0 where none is. Shapes `(c, m)`."""
        usable = np.where(np.isfinite(values) & (values > 0), values, np.nan)
        result = np.zeros_like(values)
        for block in self.blocks:
            result[:, block] = np.nan_to_num(medians(usable[:, block]))[..., None]
        return result

    def largest(self, values: FloatArray) -> FloatArray:
        """The largest of each group's values, none of which is below 0; 0 where none is known. Shapes `(c, m)`."""
        result = np.zeros_like(values)
        for block in self.blocks:
            largest = np.fmax.reduce(values[:, block], axis=2, keepdims=True)
            result[:, block] = np.nan_to_num(largest)
        return result
