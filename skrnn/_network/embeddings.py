"""Categories that a network reads as vectors that are learned: tables with a row for each category."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._plain import plain


@plain
class Embedding(NamedTuple):
    """A table with a vector for each category of a feature; its parameter is (n_categories, dim)."""

    name: str                   # of the feature
    n_categories: int           # with the last one, which stands for all that fit did not see
    dim: int


def table_of(embedding=None):
    """The name of the parameter of an `Embedding`, or of that of steps that are categories themselves."""
    return "embedding.E" if embedding is None else f"embedding.{embedding.name}.E"


def check_embeddings(embeddings, n_features):
    """Raise a ValueError unless embeddings have names of their own, rows and columns, and features to embed."""
    names = [embedding.name for embedding in embeddings]
    if len(names) > n_features or len(set(names)) < len(names):
        raise ValueError(f"embeddings of {names} must be of different features, of the {n_features} of a step")
    for name, n_categories, dim in embeddings:
        if n_categories < 1 or dim < 1:
            raise ValueError(f"the embedding of {name} must have categories and columns, not {(n_categories, dim)}")


def unseen_rows(network, sequences, index):
    """Which rows of each table the sequences `index` do not use: a bool array by the name of the parameter."""
    first, *others = sequences.ask(partial(_unseen_rows, network), index)
    return {
        table: np.logical_and.reduce([rows, *(other[table] for other in others)]) for table, rows in first.items()
    }


def _unseen_rows(network, sequences, index):
    """`unseen_rows` of sequences in one place."""
    unseen = {table: np.ones(network.layout.shapes[table][0], bool) for table in network.tables}
    for chunk, numbers in sequences.iter_chunks(index):
        codes = network.codes(chunk, numbers, rows_of(chunk.starts[numbers], chunk.lengths[numbers]))
        for rows, used in zip(unseen.values(), codes, strict=True):
            rows[used.astype(np.intp)] = False
    return unseen


class SparseGradient:
    """The rows of embeddings that a gradient is of: those of the categories in a batch. All others are 0 in it.

    Parameters
    ----------
    network : RecurrentNetwork
    gradient : (P,) array
    """

    def __init__(self, network, gradient):
        views = network.layout.views(gradient)
        self.network, self.tables = network, [views[table] for table in network.tables]
        self.starts = [network.layout.slices[table].start for table in network.tables]
        self.used = [()] * len(self.tables)

    def clear(self):
        """Set to 0 what the gradient has of a batch, before that of another one is added."""
        for E, used in zip(self.tables, self.used, strict=True):
            E[used] = 0

    def ranges(self, sequences, index, rows):
        """The ranges of theta, (m, 2), that a gradient is of.

        It is that of the sequences `index`, or of stretches of them, with these rows of the steps of `sequences`.
        """
        codes = self.network.codes(sequences, index, rows)
        self.used = [rows_in_use(used, len(E)) for used, E in zip(codes, self.tables, strict=True)]
        ranges = [self.network.dense_range()]
        for E, start, used in zip(self.tables, self.starts, self.used, strict=True):
            first = start + used * E.shape[1]
            ranges.append(np.stack([first, first + E.shape[1]], axis=1))
        return np.concatenate(ranges)


def rows_in_use(codes, n_categories):
    """The categories that occur among whole numbers from 0 to n_categories − 1, in increasing order."""
    codes = codes.astype(np.intp, copy=False)
    if n_categories > 8 * len(codes):
        return np.unique(codes)
    return np.flatnonzero(np.bincount(codes, minlength=n_categories))
