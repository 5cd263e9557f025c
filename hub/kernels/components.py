"""Connected components of a mask, by two passes with union-find.

Wu, Otoo, Suzuki: Optimizing two-pass connected-component labeling algorithms (2009): the forward mask of four
neighbours, and a forest whose roots are always the smallest provisional label, so that one flat array is enough.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

X0, Y0, X1, Y1, AREA = range(5)
STATS = 5
"""Columns of the statistics: bounding box (x1 and y1 exclusive) and number of cells."""


def parents_for(height: int, width: int) -> NDArray[np.int32]:
    """A forest large enough for any mask of ``height`` × ``width``: at most one new label in each 2×2 cells."""
    return np.zeros(((height + 1) // 2) * ((width + 1) // 2) + 2, dtype=np.int32)


@nb.njit(nb.int32(nb.int32[::1], nb.int32), cache=True, nogil=True, inline="never")
def _root(parent: Any, label: Any) -> Any:
    while parent[label] != label:
        parent[label] = parent[parent[label]]
        label = parent[label]
    return label


@nb.njit(nb.int32(nb.int32[::1], nb.int32, nb.int32), cache=True, nogil=True)
def _join(parent: Any, a: Any, b: Any) -> Any:
    a = _root(parent, a)
    b = _root(parent, b)
    if a < b:
        parent[b] = a
        return a
    parent[a] = b
    return b


@nb.njit(nb.int32(nb.uint8[:, ::1], nb.int32[:, ::1], nb.int32[::1]), cache=True, nogil=True)
def _provisional(mask: Any, labels: Any, parent: Any) -> Any:
    """First pass: provisional labels and their equivalences. Returns the highest label."""
    height, width = mask.shape
    count = np.int32(0)
    parent[0] = 0
    for y in range(height):
        for x in range(width):
            if mask[y, x] == 0:
                labels[y, x] = 0
                continue
            above = labels[y - 1, x] if y > 0 else np.int32(0)
            if above != 0:  # its neighbours left and right of it are joined to it already
                labels[y, x] = above
                continue
            left = labels[y, x - 1] if x > 0 else np.int32(0)
            corner = labels[y - 1, x - 1] if y > 0 and x > 0 else np.int32(0)
            right = labels[y - 1, x + 1] if y > 0 and x + 1 < width else np.int32(0)
            near = left if left != 0 else corner
            if near != 0 and right != 0:
                labels[y, x] = _join(parent, near, right)
            elif near != 0 or right != 0:
                labels[y, x] = near + right
            else:
                count += 1
                parent[count] = count
                labels[y, x] = count
    return count


@nb.njit(nb.int32(nb.uint8[:, ::1], nb.int32[:, ::1], nb.int32[::1], nb.int32[:, ::1]), cache=True, nogil=True)
def label(mask: Any, labels: Any, parent: Any, stats: Any) -> Any:
    """Label the 8-connected components of a mask.

    ``mask``: uint8 (H, W), non-zero is set. ``labels``: int32 (H, W), filled with 0 or the component's number.
    ``parent``: int32 scratch from ``parents_for``. ``stats``: int32 (N, 5), row ``i`` describes component ``i`` (row 0
    is unused). Returns the number of components that are described: at most N - 1. Cells of components beyond that
    limit become 0.
    """
    count = _provisional(mask, labels, parent)
    final = np.int32(0)
    for i in range(1, count + 1):  # roots come first in their trees: one ascending pass flattens them
        if parent[i] == i:
            final += 1
            parent[i] = final if final < stats.shape[0] else 0
        else:
            parent[i] = parent[parent[i]]
    final = min(final, np.int32(stats.shape[0] - 1))
    height, width = mask.shape
    for i in range(final + 1):
        stats[i, X0], stats[i, Y0], stats[i, X1], stats[i, Y1], stats[i, AREA] = width, height, 0, 0, 0
    for y in range(height):
        for x in range(width):
            number = parent[labels[y, x]]
            labels[y, x] = number
            if number:
                stats[number, X0] = min(stats[number, X0], x)
                stats[number, X1] = max(stats[number, X1], x + 1)
                stats[number, Y0] = min(stats[number, Y0], y)
                stats[number, Y1] = y + 1
                stats[number, AREA] += 1
    return final
