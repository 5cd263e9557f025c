"""One uncertain reading against very many words: the probability, as a cost, that the reading shows each of them.

Words are rows of codes; the reading is a table of costs by place and code. Only what costs at most ``bound`` counts,
so most words are done after two letters, with all that share them. A word may have one letter more or less than the
reading.
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
_PLACES = nb.types.Array(nb.int32, 1, "C", readonly=True)
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


@nb.njit(
    nb.int64(_WORDS, _WORDS, _PLACES, _WORDS, _PLACES, _PLACES, _COSTS, nb.float32, nb.float32, nb.int32[::1]),
    cache=True, nogil=True,
)  # fmt: skip
def _likely(
    words: Any, heads: Any, firsts: Any, tails: Any, parts: Any, order: Any, costs: Any, gap: Any, bound: Any, kept: Any
) -> Any:
    """The words whose first two letters, or last two where the length differs, do not cost too much already.

    Words that share them are passed over together: of 100,000 plates a few thousand pairs are looked at. Returns how
    many are in ``kept``.
    """
    read = np.int64(costs.shape[0])
    first, second, before, last = costs[0], costs[1], costs[read - 2], costs[read - 1]
    budget = bound - gap
    count: Any = 0
    for group in range(heads.shape[0]):
        length = np.int64(heads[group, 0])
        # of two letters and a third between them neither the first two nor the last two need to fit
        short = min(length, read) <= 2
        if abs(length - read) > 1:
            continue
        limit = bound if length == read else budget
        left = first[heads[group, 1]] + second[heads[group, 2]]
        if left <= limit or (length != read and short and budget >= 0):
            for i in range(firsts[group], firsts[group + 1]):
                kept[count] = i
                count += 1
    if budget < 0:
        return count
    for group in range(tails.shape[0]):
        length = np.int64(tails[group, 0])
        if abs(length - read) != 1 or min(length, read) <= 2:
            continue
        if before[tails[group, 1]] + last[tails[group, 2]] <= budget:
            for n in range(parts[group], parts[group + 1]):
                word = words[order[n]]
                if first[word[0]] + second[word[1]] > budget:  # else it is kept already
                    kept[count] = order[n]
                    count += 1
    return count


@nb.njit(
    nb.int64(_WORDS, _LENGTHS, _WORDS, _PLACES, _WORDS, _PLACES, _PLACES, _COSTS, nb.float32, nb.float32,
             nb.int32[::1], nb.int32[::1], nb.float32[::1]),
    cache=True, nogil=True,
)  # fmt: skip
def nearest(
    words: Any, lengths: Any, heads: Any, firsts: Any, tails: Any, parts: Any, order: Any, costs: Any, gap: Any,
    bound: Any, kept: Any, found: Any, found_costs: Any,
) -> Any:  # fmt: skip
    """The cheapest words, cheapest first, into ``found`` and ``found_costs``: as many as fit; returns how many.

    ``words``: uint8 (N, ``LONGEST``), sorted so that those of one head are together; ``lengths``: uint8 (N,), at least
    2; ``heads``: uint8 (H, 3), length and first two letters, of the words from ``firsts[h]`` to before
    ``firsts[h + 1]``; ``tails``: uint8 (T, 3), length and last two letters, of the words that ``order[parts[t] :
    parts[t + 1]]`` names; ``costs``: float32 (letters, ``CODES``), at least 0, in nats when it is the negative
    logarithm of a probability; at least two letters; ``kept``: int32 (N,) scratch.
    """
    count, most = 0, found.shape[0]
    limit = bound
    for n in range(_likely(words, heads, firsts, tails, parts, order, costs, gap, bound, kept)):
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
