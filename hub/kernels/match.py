"""One uncertain reading against very many words: the probability, as a cost, that the reading shows each of them.

Words are rows of codes; the reading is a table of costs by place and code. Only what costs at most ``bound`` counts,
so most words are done after two letters. A word may have one letter more or less than the reading.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

SHORTEST, LONGEST = 2, 12
CODES = 256
ANY = 0  # the code in a word of a letter that nobody saw: it costs nothing

_WORDS = nb.types.Array(nb.uint8, 2, "C", readonly=True)
_WORD = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_LENGTHS = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_COSTS = nb.types.Array(nb.float32, 2, "C", readonly=True)


@nb.njit(nb.boolean(_WORD, _COSTS, nb.int64, nb.int64, nb.float32), cache=True, nogil=True)
def _fits(word: Any, costs: Any, more: Any, both: Any, budget: Any) -> Any:
    """Whether the letters that fit from the left and those that fit from the right can be all ``both``."""
    total, left = np.float32(0), 0
    while left < both:
        total += costs[left, word[left]]
        if total > budget:
            break
        left += 1
    total = np.float32(0)
    for k in range(both - 1, left - 1, -1):
        total += costs[k + 1 - more, word[k + more]]
        if total > budget:
            return False
    return budget >= 0


@nb.njit(nb.float32(_WORD, nb.int64, _COSTS, nb.float32, nb.float32), cache=True, nogil=True)
def cost_of(word: Any, length: Any, costs: Any, gap: Any, bound: Any) -> Any:
    """What one word costs; over ``bound`` any number over it. ``gap``: of a letter too many or too few."""
    read = costs.shape[0]
    if length == read:
        total = np.float32(0)
        for k in range(read):
            total += costs[k, word[k]]
            if total > bound:
                break
        return total
    if abs(length - read) != 1:
        return bound + np.float32(1)
    more = 1 if length > read else 0  # the word has the letter that the reading lacks, or the other way round
    both, budget = min(length, read), bound - gap
    if not _fits(word, costs, more, both, budget):
        return bound + np.float32(1)
    ends = np.float32(0)
    for k in range(both):
        ends += costs[k + 1 - more, word[k + more]]
    best = ends
    for k in range(both):
        ends += costs[k, word[k]] - costs[k + 1 - more, word[k + more]]
        best = min(best, ends)
    return best + gap


@nb.njit(nb.int64(_WORDS, _LENGTHS, _COSTS, nb.float32, nb.float32, nb.int32[::1]), cache=True, nogil=True)
def _likely(ends: Any, lengths: Any, costs: Any, gap: Any, bound: Any, kept: Any) -> Any:
    """The words whose first two letters, or last two where the length differs, do not cost too much already.

    Without a branch a word: nearly all are dropped here, and a branch that is foretold wrongly costs more than all of
    this. Returns how many are in ``kept``.
    """
    read = costs.shape[0]
    first, second = costs[0], costs[min(1, read - 1)]
    last, before = costs[read - 1], costs[max(read - 2, 0)]
    count: Any = 0
    budget = bound - gap
    for i in range(lengths.shape[0]):
        word, more = ends[i], np.int64(lengths[i]) - read
        left = first[word[0]] + second[word[1]]
        right = last[word[3]] + before[word[2]]
        same = (more == 0) & (left <= bound)
        near = ((more == 1) | (more == -1)) & ((left <= budget) | (right <= budget))
        kept[count] = i
        count += np.int64(same | near)
    return count


@nb.njit(
    nb.int64(_WORDS, _WORDS, _LENGTHS, _COSTS, nb.float32, nb.float32, nb.int32[::1], nb.int32[::1],
             nb.float32[::1]),
    cache=True, nogil=True,
)  # fmt: skip
def nearest(
    words: Any, ends: Any, lengths: Any, costs: Any, gap: Any, bound: Any, kept: Any, found: Any, found_costs: Any
) -> Any:
    """The cheapest words, cheapest first, into ``found`` and ``found_costs``: as many as fit; returns how many.

    ``words``: uint8 (N, ``LONGEST``); ``ends``: uint8 (N, 4), the first two and last two letters of each; ``lengths``:
    uint8 (N,), at least 2; ``costs``: float32 (letters, ``CODES``), at least 0, in nats when it is the negative
    logarithm of a probability; at least two letters; ``kept``: int32 (N + 1,) scratch.
    """
    count, most = 0, found.shape[0]
    limit = bound
    for n in range(_likely(ends, lengths, costs, gap, bound, kept)):
        i = kept[n]
        cost = cost_of(words[i], np.int64(lengths[i]), costs, gap, limit)
        if cost > limit:
            continue
        at = count if count < most else most - 1
        while at > 0 and found_costs[at - 1] > cost:
            found[at], found_costs[at] = found[at - 1], found_costs[at - 1]
            at -= 1
        found[at], found_costs[at] = i, cost
        count = min(count + 1, most)
        if count == most:
            limit = min(bound, found_costs[most - 1])
    return count
