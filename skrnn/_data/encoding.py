"""The categories of a feature, and the codes that the network reads in their place."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from numbers import Number

import numpy as np

from skrnn._data.numbers import is_date, is_missing
from skrnn._messages import shown
from skrnn._plain import plain


@plain
@dataclass(frozen=True)
class Encoding:
    """The categories of a feature. Their codes are 0, 1, 2, ..., then come that of missing ones, if fit saw any, and
    the last one, which stands for all that fit did not see.

    Parameters
    ----------
    name : str
        Of the feature.
    categories : tuple
        Strings, or numbers, in the order of their codes.
    with_missing : bool
        Whether missing values are a category of their own.
    announced : bool
        Whether a dtype says which categories there are, so that they do not depend on those that occur.
    """

    name: str
    categories: tuple[str | float | bool, ...]
    with_missing: bool
    announced: bool = False

    @property
    def is_of_text(self):
        """Whether the categories are strings, or there are none; otherwise they are numbers."""
        return not self.categories or isinstance(self.categories[0], str)

    @property
    def n_codes(self):
        """How many codes there are."""
        return len(self.categories) + self.with_missing + 1

    @property
    def missing(self):
        """The code of missing values."""
        return self.n_codes - 1 - self.with_missing

    @property
    def labels(self):
        """What each code stands for: the categories, None for missing ones, and "unseen", (n_codes,) objects."""
        return np.array([*self.categories, *[None] * self.with_missing, "unseen"], dtype=object)

    @cached_property
    def _codes(self):
        return {category: code for code, category in enumerate(self.categories)}

    def __reduce__(self):       # without what is cached
        return Encoding, (self.name, self.categories, self.with_missing, self.announced)

    def encode(self, cells, label):
        """The codes of cells, float64 (n,).

        Parameters
        ----------
        cells : array of numbers, or list
        label : callable
            What messages call the cell of an index.

        Raises
        ------
        TypeError
            For a number where fit saw strings, the other way round, and for what is no category.
        """
        if isinstance(cells, np.ndarray):
            values, places = np.unique(cells, return_inverse=True)
            places = places.reshape(-1)
            return self.encode(values.tolist(), lambda i: label(int(np.argmax(places == i))))[places]
        codes = self._codes
        try:
            encoded = np.array([codes.get(cell, -1) for cell in cells], dtype=np.float64)
        except TypeError:
            check_categories_of(cells, label)
            raise
        for i in np.flatnonzero(encoded < 0):
            encoded[i] = self._other(cells[i], label, int(i))
        return encoded

    def _other(self, cell, label, i):
        """The code of a cell that is none of the categories."""
        if is_missing(cell):
            return self.missing
        kind = kind_of(cell)
        if kind is None or (self.categories and kind != kind_of(self.categories[0])):
            expected = f"one of {kind_of(self.categories[0])}" if self.categories else "a string or a number"
            raise TypeError(f"{label(i)} is {shown(cell)}, expected a category, {expected} as in fit")
        return self.n_codes - 1

    def of_used(self, used):
        """The encoding without the categories that do not occur, unless they are announced.

        Parameters
        ----------
        used : (n_codes,) bool array
            Which codes occur.

        Returns
        -------
        Encoding
        (n_codes,) float64 array
            Its code for each of these.
        """
        kept = np.ones(len(self.categories), bool) if self.announced else used[: len(self.categories)]
        with_missing = self.with_missing and bool(used[self.missing])
        encoding = replace(self, categories=tuple(compress(self.categories, kept)), with_missing=with_missing)
        codes = np.full(self.n_codes, encoding.n_codes - 1.0)
        codes[: len(kept)][kept] = np.arange(kept.sum())
        if self.with_missing:
            codes[self.missing] = encoding.missing
        return encoding, codes


def learn_encoding(name, cells, label, categories=None):
    """The encoding of a feature.

    Parameters
    ----------
    name : str
        Of the feature.
    cells : array of numbers, or list
        All that fit sees of it.
    label : callable
        What messages call the cell of an index.
    categories : list, optional
        All that there may be, in their order, as a dtype has them. None: those that occur, sorted.

    Raises
    ------
    TypeError
        For cells that are neither strings nor numbers, or some of each.
    """
    values = np.unique(cells).tolist() if isinstance(cells, np.ndarray) else cells
    try:
        distinct = set(values)
    except TypeError:
        check_categories_of(cells, label)
        raise
    with_missing = any(map(is_missing, distinct))
    distinct = [cell.item() if isinstance(cell, np.generic) else cell for cell in distinct if not is_missing(cell)]
    if len(set(map(kind_of, distinct))) > 1 or (distinct and kind_of(distinct[0]) is None):
        check_categories_of(cells, label)
    announced = categories is not None
    return Encoding(str(name), tuple(categories if announced else sorted(distinct)), with_missing, announced)


def merged_encoding(encodings):
    """The encoding of a feature of which each part of X has learned one, and whether it may have unused categories.

    Parameters
    ----------
    encodings : list of Encoding or None
        None of a part that seems to hold numbers: all that it can have of a categorical feature is missing values.

    Raises
    ------
    TypeError
        Where some parts have strings and others numbers.
    """
    known = [encoding for encoding in encodings if encoding is not None]
    with_missing = len(known) < len(encodings) or any(encoding.with_missing for encoding in known)
    kinds = {encoding.is_of_text for encoding in known if encoding.categories}
    if len(kinds) > 1:
        raise TypeError(
            f"the categorical feature {known[0].name!r} has strings in some partitions of X, and numbers in others: "
            "expected all strings, or all numbers; convert them with astype(str)"
        )
    first = known[0]
    if all(encoding.announced and encoding.categories == first.categories for encoding in known):
        return replace(first, with_missing=with_missing), False
    categories = set().union(*(encoding.categories for encoding in known))
    merged = Encoding(first.name, tuple(sorted(categories)), with_missing)
    return merged, any(encoding.announced for encoding in known)


def check_categories_of(cells, label):
    """Raise a TypeError that names the first cell that is no category, or of another kind than those before."""
    first = None
    for i, cell in enumerate(cells):
        if is_missing(cell):
            continue
        kind = kind_of(cell)
        if kind is None:
            raise TypeError(
                f"{label(i)} is {type(cell).__name__} {shown(cell)}, expected a category: a string or a number"
            )
        first = first or (kind, i)
        if kind != first[0]:
            other = f"{label(first[1])} is {shown(cells[first[1]])}"
            raise TypeError(
                f"{label(i)} is {shown(cell)} and {other}, expected categories of one kind: all strings, or all "
                "numbers; convert them with astype(str)"
            )


def kind_of(cell):
    """Whether a category is one of strings or of numbers; None if it is neither."""
    if isinstance(cell, str):
        return "strings"
    if isinstance(cell, Number | np.number | np.bool_) and not is_date(cell):
        return "numbers"
    return None
