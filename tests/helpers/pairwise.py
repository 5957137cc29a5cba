"""Combinations of parameters that find what all of them would, or nearly so, in far fewer tests."""

from itertools import combinations, product


def pairwise(*axes):
    """List of tuples with a value of each axis, such that any two values of two axes are together in one of them.

    Most faults show with one value, or with two that meet. Of several combinations that add as many new pairs the first
    is taken, so the choice is always the same.
    """
    axes, bits = [list(axis) for axis in axes], {}

    def pairs(choice):
        """The pairs of a combination, a bit of an integer for each."""
        return sum(1 << bits.setdefault(pair, len(bits)) for pair in combinations(enumerate(choice), 2))

    candidates = {choice: pairs(choice) for choice in product(*(range(len(axis)) for axis in axes))}
    missing, chosen = (1 << len(bits)) - 1, []
    while missing:
        best = max(candidates, key=lambda choice: (candidates[choice] & missing).bit_count())
        missing &= ~candidates[best]
        chosen.append(tuple(axis[i] for axis, i in zip(axes, best, strict=True)))
    return chosen


def one_at_a_time(*axes):
    """List of tuples: the first value of every axis, and each other value beside the first ones of the other axes."""
    axes = [list(axis) for axis in axes]
    first = tuple(axis[0] for axis in axes)
    return [first, *((*first[:i], value, *first[i + 1 :]) for i, axis in enumerate(axes) for value in axis[1:])]
