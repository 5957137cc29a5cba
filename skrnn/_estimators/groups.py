"""Groups of sequences that belong together, as those of one patient do: early stopping holds out whole groups."""

import numpy as np

from skrnn._data.columns import cells_of
from skrnn._data.numbers import is_missing, is_sized
from skrnn._messages import shown

# How many orders of the groups are tried: fewer where there are many groups, whose order matters less
MAX_ORDERS, MAX_GROUPS_TRIED = 10, 20_000
# How many groups are moved at most to make parts better that begin at random
MAX_MOVES = 200


def read_groups(groups, sequences):
    """The number of each sequence's group, (n,) int; raise an error that names what is no group."""
    n = len(sequences)
    cells = cells_of(groups, "groups")
    if not is_sized(cells):
        raise TypeError(f"groups is {shown(groups)}, expected the group of each of the {n} sequences")
    cells = cells.tolist() if isinstance(cells, np.ndarray) else list(cells)
    if len(cells) != n:
        raise ValueError(f"groups has {len(cells)} entries, expected {n}: one for each sequence of X")
    numbers, codes = {}, np.empty(n, np.intp)
    for i, cell in enumerate(cells):
        if is_missing(cell):
            raise ValueError(f"groups[{i}] is missing: give a sequence that belongs to no other a group of its own")
        try:
            codes[i] = numbers.setdefault(cell, len(numbers))
        except TypeError as error:
            raise TypeError(
                f"groups[{i}] is {shown(cell)}, expected one label, a number or a text, for each sequence"
            ) from error
    return codes


def hold_out_groups(items, groups, strata, fraction, at_least, random_state):
    """Items to train on, and items of whole groups to validate on.

    All strata are trained on. As near as groups allow, those of several groups are in both parts, and the held-out part
    has the fraction of each stratum.

    Parameters
    ----------
    items : (n,) int array
    groups : (n,) int array
        The group of each.
    strata : (n,) array or None
        Their labels.
    fraction : float
    at_least : int
    random_state : RandomState
        Orders the groups, of which the first ones are held out; then single ones are moved to make the parts better.

    Raises
    ------
    ValueError
        When no group can be held out.
    """
    _, groups = np.unique(groups, return_inverse=True)
    n_groups = int(groups.max()) + 1
    if n_groups < 2:
        raise ValueError(
            "early_stopping=True cannot hold out a part of one group: expected several groups among the sequences with "
            "weight; pass X_val and y_val, or leave groups out if the sequences are independent"
        )
    codes = np.zeros(len(items), np.intp) if strata is None else np.unique(strata, return_inverse=True)[1]
    counts = np.zeros((n_groups, int(codes.max()) + 1))
    np.add.at(counts, (groups, codes), 1)
    size, n_orders = max(fraction * len(items), at_least), min(MAX_ORDERS, 1 + MAX_GROUPS_TRIED // n_groups)
    tried = [_choose(counts, size, at_least, random_state.permutation(n_groups)) for _ in range(n_orders)]
    _, chosen = min(tried, key=lambda of_order: of_order[0])
    if not chosen.any():
        raise ValueError(
            f"early_stopping=True cannot hold out any of {n_groups} groups: each is the only one with some class, "
            "which is trained on; pass X_val and y_val, or more groups of a class"
        )
    held_out = chosen[groups]
    return items[~held_out], items[held_out]


def _choose(counts, size, at_least, order):
    """How bad the best parts are that were found, and which groups they hold out, (groups,) bool.

    Parameters
    ----------
    counts : (groups, strata) array
        Of the items of each group.
    size : float
        Of the part to hold out.
    at_least : int
        Of the same.
    order : (groups,) int array
    """
    counts, total = counts[order], counts.sum(axis=0)
    in_several = (counts > 0).sum(axis=0) > 1

    def badness(held_out):
        """Of counts (..., strata): strata not trained on, not validated on, items that lack, squared differences."""
        return np.stack([
            np.count_nonzero(held_out == total, axis=-1), np.count_nonzero((held_out == 0) & in_several, axis=-1),
            np.maximum(0, at_least - held_out.sum(axis=-1)),
            np.square(held_out / total - size / total.sum()).sum(axis=-1),
        ])

    chosen = np.cumsum(counts.sum(axis=1)) <= size
    now = badness(counts[chosen].sum(axis=0))
    for _ in range(MAX_MOVES):
        moved = counts[chosen].sum(axis=0) + np.where(chosen, -1, 1)[:, np.newaxis] * counts
        after = badness(moved)
        best = np.lexsort(after[::-1])[0]
        if tuple(after[:, best]) >= tuple(now):
            break
        chosen[best], now = not chosen[best], after[:, best]
    held_out = np.empty_like(chosen)
    held_out[order] = chosen
    return tuple(now), held_out
