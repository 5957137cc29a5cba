"""What predictions of a part of X look like: rows in arrays, columns in frames."""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from skrnn.dask._lists import list_column


class Piece(NamedTuple):
    """One of the arrays that a method returns.

    Parameters
    ----------
    shape : tuple of int
        Of the row of a sequence, or with `return_sequences` of a step.
    dtype : dtype
    name : str
        Of the column of a frame, or the beginning of the names of several.
    names : list or None
        The names of several columns; None: name_0, name_1, ...
    """

    shape: tuple
    dtype: np.dtype
    name: str = "prediction"
    names: list | None = None

    @property
    def columns(self):
        """Names of the columns of a frame."""
        if not self.shape:
            return [self.name]
        if self.names is not None:
            return list(self.names)
        return ["_".join([self.name, *map(str, place)]) for place in product(*map(range, self.shape))]


@dataclass(frozen=True)
class Layout:
    """What a method returns for a part of X.

    Parameters
    ----------
    pieces : list of Piece
    several : type or None
        list or tuple where the method returns one of arrays; None for a single array.
    per_step : bool
        Whether a row is one of a step.
    label_types : list of types of Arrow
        Of each column of labels that NumPy holds as objects.
    """

    pieces: list
    several: type | None
    per_step: bool
    label_types: list = ()

    def each(self, predicted):
        """The arrays of what a method returned."""
        return list(predicted) if self.several else [predicted]

    def together(self, pieces):
        """Pieces as the method returns them."""
        return self.several(pieces) if self.several else pieces[0]

    def frame(self, predicted, index):
        """A data frame of all pieces, whose columns are numbered: those of steps are lists of Arrow."""
        columns = {}
        for piece, values in zip(self.pieces, self.each(predicted), strict=True):
            for column in self._columns_of(piece, values, len(index)):
                # pandas 3 takes objects for strings by their values, of which the first part may have none.
                dtype = object if column.dtype == object else None
                columns[len(columns)] = pd.Series(column, index=index, dtype=dtype)
        return pd.DataFrame(columns, index=index)

    def empty(self, piece, n_steps=None):
        """A piece of a part of X without sequences, an array; `n_steps` where all sequences have as many."""
        if self.per_step and n_steps is None:
            return np.empty(0, dtype=object)
        return np.empty((0, *([n_steps] if self.per_step else []), *piece.shape), piece.dtype)

    def piece_of(self, frame, number):
        """One piece of a data frame of all: a series, or a frame of its columns under their names."""
        first = sum(len(piece.columns) for piece in self.pieces[:number])
        piece = self.pieces[number]
        if not piece.shape:
            return frame[first].rename(piece.name)
        chosen = frame[list(range(first, first + len(piece.columns)))]
        return chosen.set_axis(piece.columns, axis=1)

    def _columns_of(self, piece, values, n):
        """The columns of a piece, each with a cell for each of n sequences."""
        if not self.per_step:
            return list(np.asarray(values).reshape(n, -1).T) if n else [np.empty(0, piece.dtype) for _ in piece.columns]
        lengths = np.fromiter(map(len, values), np.intp, n)
        steps = np.concatenate(list(values)) if n else np.empty((0, *piece.shape), piece.dtype)
        columns = steps.reshape(len(steps), len(piece.columns)).T
        types = self.label_types if steps.dtype == object else [None] * len(columns)
        return [list_column(column, lengths, dtype) for column, dtype in zip(columns, types, strict=True)]


def types_of(classes):
    """The Arrow type of the labels of each column, given an array or a list of arrays of all labels."""
    columns = classes if isinstance(classes, list) else [classes]
    return [pa.array(labels.tolist()).type for labels in columns]
