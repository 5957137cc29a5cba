"""How X with more than numbers of steps is read: codes at the end of its steps, and static features beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skrnn._data.columns import cells_in, columns_of
from skrnn._data.containers import check_finite
from skrnn._data.encoding import Encoding
from skrnn._data.features import features_of
from skrnn._data.numbers import as_numbers
from skrnn._data.parts import divide
from skrnn._data.ragged import rows_of
from skrnn._data.schemas import check_unique
from skrnn._data.static_columns import StaticColumns, check_not_missing
from skrnn._data.step_cells import label_of
from skrnn._data.tables import is_frame, names_of
from skrnn._data.with_static import as_static_table
from skrnn._plain import plain


@plain
@dataclass(frozen=True)
class Mixed:
    """What the features of steps, and the static features, are.

    Parameters
    ----------
    steps : tuple of Encoding or None
        The categories of each feature of a step, in the order of X; None for a number. Empty until they are
        counted.
    static : tuple of Encoding or None
        Those of each static feature.
    step_names, static_names : tuple of str, or None
        Names of both.
    is_static : tuple of bool, or None
        Of a frame, which of its columns are static features.
    """

    steps: tuple[Encoding | None, ...]
    static: tuple[Encoding | None, ...] = ()
    step_names: tuple[str, ...] | None = None
    static_names: tuple[str, ...] | None = None
    is_static: tuple[bool, ...] | None = None

    @property
    def step_encodings(self):
        """The encodings of the codes at the end of a step, in order."""
        return tuple(encoding for encoding in self.steps if encoding is not None)

    @property
    def static_encodings(self):
        """The encodings of the codes at the end of the static features, in order."""
        return tuple(encoding for encoding in self.static if encoding is not None)

    @property
    def order(self):
        """The features of a step of X in the order of the network: numbers, then categories."""
        return order_of(self.steps)

    @property
    def static_number_names(self):
        """Names of the static numbers; x and their places where they have none."""
        first, n = len(self.steps), len(self.static)
        places = range(first, first + n) if self.is_static is None else np.flatnonzero(self.is_static)
        names = self.static_names or [f"x{place}" for place in places]
        return [name for name, encoding in zip(names, self.static, strict=True) if encoding is None]

    def with_n_features(self, n):
        """The same, of steps of n features, which are all numbers if they were not counted."""
        if self.static and self.static_names is None and self.is_static is None:
            static = (encoding and replace(encoding, name=f"x{n + j}") for j, encoding in enumerate(self.static))
            self = replace(self, static=tuple(static))
        if self.step_encodings:
            return self
        named = self.step_names is not None and len(self.step_names) == n
        return replace(self, steps=(None,) * n, step_names=self.step_names if named else None)

    def features(self, estimator, sequences):
        """The number of features of X, and their names, a tuple or None, as an estimator would learn them."""
        n, names = features_of(estimator, sequences)
        if self.is_static is not None or not self.static:
            return n, names
        if names is None or self.static_names is None:
            return n + len(self.static), None
        check_unique([*names, *self.static_names], "X")
        return n + len(self.static), (*names, *self.static_names)

    def read_static(self, static, n, missing, dtype):
        """Static features that are passed apart from sequences, (n, S) of a dtype, NaN where a number is missing."""
        table = as_static_table(self._static_row(static), n)
        columns = StaticColumns.of(table, names_of(table) if is_frame(table) else self.static_names, "static")
        if len(columns.columns) != len(self.static):
            raise ValueError(
                f"static has {len(columns.columns)} features, expected {len(self.static)} as in fit"
                + (f": {list(self.static_names)}" if self.static_names else "")
            )
        named = is_frame(table) and all(isinstance(name, str) for name in columns.names)
        if named and self.static_names and columns.names != list(self.static_names):
            raise ValueError(f"static has the columns {columns.names}, expected {list(self.static_names)} as in fit")
        values = self._static_values(columns, missing, dtype)
        if len(values) != n:
            raise ValueError(f"static has {len(values)} rows, expected {n}, one for each sequence")
        return values

    def _static_row(self, static):
        """The static features of one sequence by name, a dict or a series, as a list; anything else as it is."""
        names = list(self.static_names or ())
        index = getattr(static, "index", None)      # of a series; a method of lists
        if isinstance(static, Mapping):
            return values_by_name("static", static, names)
        labelled = index is not None and not callable(index) and not is_frame(static)
        return list(static) if labelled and names and list(index) == names else static

    def read(self, X, read, n_steps, missing, dtype=None):
        """The sequences of X, with codes at the end of their steps and with static features.

        Parameters
        ----------
        X : as the user passes it
        read : callable
            Reads a container of steps, with `allow_missing` or without.
        n_steps : int or None
        missing : str
            As in `Reading`.
        dtype : dtype, optional
            What the numbers have to fit in; None: that of the steps.
        """
        if self.is_static is not None and is_frame(X):
            self._check_names(names_of(X), self._column_names())
        parts = divide(X, self.is_static)
        self._check_static(parts.static)
        if not self.step_encodings:
            return self._with_static(read(parts.steps, allow_missing=missing != "error"), parts, missing, dtype)
        cells = parts.cells(n_steps)
        if cells is None:
            sequences = read(parts.steps, allow_missing=True)
        else:
            self._check_n_features(len(cells.names))
            self._check_names(cells.names, self.step_names)
            sequences = read(cells.replace(self._codes(cells)), allow_missing=True)
        self._check_n_features(sequences.n_features)
        change = partial(
            with_codes, encodings=self.steps, encoded=cells is not None, missing=missing, dtype=dtype
        )
        return self._with_static(sequences.map(change), parts, missing, dtype)

    def drop_unused(self, sequences, index):
        """The same without categories that the sequences `index` do not have, and all sequences, with codes of these.

        Parameters
        ----------
        sequences : Sequences or LazySequences
            As `read` returns them.
        index : (m,) int array
        """
        used = codes_in_use(sequences, index, self.step_encodings, self.static_encodings)
        pairs = list(map(Encoding.of_used, (*self.step_encodings, *self.static_encodings), used))
        encodings, codes = (list(each) for each in zip(*pairs, strict=True))
        if encodings == [*self.step_encodings, *self.static_encodings]:
            return self, sequences
        n, remaining = len(self.step_encodings), iter(encodings)
        if n:
            sequences = sequences.map(partial(_recoded_steps, codes=codes[:n]))
        if codes[n:]:
            sequences = sequences.with_static(recoded(sequences.static, codes[n:]))
        steps, static = (
            tuple(encoding and next(remaining) for encoding in of_each) for of_each in (self.steps, self.static)
        )
        return replace(self, steps=steps, static=static), sequences

    def _codes(self, cells):
        """Codes of the features of steps that are categories, NaN for missing ones: for each a list of arrays."""
        dtype = np.float64 if all(self.steps) else np.float32      # the numbers decide about single precision
        codes = {}
        for j, encoding in enumerate(self.steps):
            if encoding is not None:
                lists = cells.lists(j)
                flat = [cell for values in lists for cell in values]
                encoded = encoding.encode(flat, label_of(cells.names[j], lists))
                codes[j] = np.split(encoded.astype(dtype), np.cumsum(list(map(len, lists)))[:-1])
        return codes

    def _with_static(self, sequences, parts, missing, dtype):
        """Sequences with their static features, and the columns of X."""
        if parts.static is not None:
            static = self._static_values(parts.static, missing, dtype or sequences.dtype)
            if len(static) != len(sequences):
                raise ValueError(f"X has {len(sequences)} sequences and {len(static)} rows of static features")
            sequences = sequences.with_static(static.astype(sequences.dtype))
        if parts.table is not None or (sequences.kind == "table" and is_frame(parts.steps)):
            sequences.columns = parts.steps if parts.table is None else parts.table
        return sequences

    def _static_values(self, columns, missing, dtype):
        """Static features (n, S) as `StaticColumns.values` returns them, checked for missing numbers."""
        values = columns.values(self.static, dtype)
        if missing == "error":
            check_not_missing(values, columns, self.static)
        return values

    def _check_static(self, static):
        n, expected = 0 if static is None else len(static.names), len(self.static)
        if n == expected:
            if n and self.static_names and isinstance(static.names[0], str) and static.names != list(self.static_names):
                raise ValueError(
                    f"X has the static features {static.names}, expected {list(self.static_names)} as in fit"
                )
            return
        if not n:
            raise ValueError(
                f"X has no static features, expected {expected} as in fit: pass WithStatic(X, static), or a frame with "
                "columns of both"
            )
        raise ValueError(f"X has {n} static features, expected {expected} as in fit")

    def _check_n_features(self, n):
        if n != len(self.steps):
            raise ValueError(f"X has {n} features per step, expected {len(self.steps)} as in fit")

    def _column_names(self):
        """The names of the columns of a frame, in its order, or None where some have none."""
        if self.step_names is None or (self.static and self.static_names is None):
            return None
        steps, static = iter(self.step_names), iter(self.static_names or ())
        return [next(static if is_static else steps, None) for is_static in self.is_static]

    @staticmethod
    def _check_names(names, expected):
        """Raise a ValueError if features have other names, or are in another order, than in fit."""
        if expected and all(isinstance(name, str) for name in names) and list(names) != list(expected):
            raise ValueError(
                "The feature names should match those that were passed during fit: X has the features "
                f"{list(names)}, expected {list(expected)}"
            )

    def encode_step(self, x, missing):
        """A step (F,), or a step of each of n streams (n, F), with codes at its end: float64, or x where it has no F.

        Parameters
        ----------
        x : array-like, series, dict of the features by name, or data frame
        missing : str
            As in `Reading`.
        """
        if isinstance(x, Mapping):
            x = values_by_name("x", x, self.step_names)
        if is_frame(x):
            x = list(zip(*(cells_in(column, "x") for column in columns_of(x)), strict=True))
        array = np.array(x, dtype=object)
        rows = np.atleast_2d(array)
        if array.ndim not in (1, 2) or rows.shape[1] != len(self.steps):
            raise ValueError(
                f"x has shape {array.shape}, expected ({len(self.steps)},), the features of a step, or "
                f"(n, {len(self.steps)}) for n streams"
            )
        out = np.empty(rows.shape)
        for place, j in enumerate(self.order):
            name = f"x[{self.step_names[j]!r}]" if self.step_names else f"x[{j}]" if array.ndim == 1 else f"x[:, {j}]"
            out[:, place] = self._encode_column(j, rows[:, j], name, missing)
        return out.reshape(array.shape)

    def _encode_column(self, j, column, name, missing):
        if self.steps[j] is None:
            values = as_numbers(column, name)
            bad = np.flatnonzero(~np.isfinite(values) if missing == "error" else np.isinf(values))
            if len(bad):
                raise ValueError(f"{name}[{bad[0]}] is {values[bad[0]]}, expected a finite number")
            return values
        return self.steps[j].encode(column.tolist(), (name + "[{}]").format)


def values_by_name(argument, values, names):
    """The values of a dict in the order of the names of features, a list.

    Raises
    ------
    ValueError
        If it lacks a feature, or features have no names.
    """
    if not names:
        raise ValueError(f"{argument} is a dict, but the features have no names: pass a list, in their order in fit")
    absent = [name for name in names if name not in values]
    if absent:
        raise ValueError(f"{argument} has no {absent}, expected a value of each of {list(names)}")
    return [values[name] for name in names]


def with_codes(sequences, encodings, encoded, missing, dtype):
    """Sequences whose steps are numbers and then codes.

    Parameters
    ----------
    sequences : Sequences
        Features in the order of X.
    encodings : tuple of Encoding or None
    encoded : bool
        Whether categories are codes already, NaN for missing ones.
    missing : str
        As in `Reading`.
    dtype : dtype, or None
        What the numbers have to fit in.
    """
    values, columns = sequences.values, []
    for j, encoding in enumerate(encodings):
        if encoding is not None and encoded:
            columns.append(np.where(np.isnan(values[:, j]), encoding.missing, values[:, j]))
        elif encoding is not None:
            columns.append(encoding.encode(values[:, j], partial(sequences.label, "X", column=j, per_step=True)))
    values = values.copy()
    values[:, [j for j, encoding in enumerate(encodings) if encoding is not None]] = np.stack(columns, axis=1)
    if missing == "error":
        check_finite(sequences.replace(values=values))
    if dtype is not None:
        sequences.replace(values=values).astype(dtype)      # messages count the features as X does
    return sequences.replace(values=values[:, order_of(encodings)], n_codes=len(columns))


def codes_in_use(sequences, index, of_steps, of_static):
    """Which codes the sequences `index` have at the end of their steps, and beside them: (n_codes,) bool of each.

    Parameters
    ----------
    sequences : Sequences or LazySequences
    index : (m,) int array
    of_steps, of_static : tuple of Encoding
    """
    used = [np.zeros(encoding.n_codes, bool) for encoding in (*of_steps, *of_static)]
    n = len(of_steps)
    if n:
        for found in sequences.ask(partial(_codes_of_steps, n_codes=[len(in_use) for in_use in used[:n]]), index):
            for in_use, here in zip(used[:n], found, strict=True):
                in_use |= here
    if of_static:
        _mark(used[n:], sequences.static[index, -len(of_static) :])
    return used


def _codes_of_steps(sequences, index, n_codes):
    """Which of so many codes of each feature the steps of the sequences `index` have, in one place."""
    used = [np.zeros(n, bool) for n in n_codes]
    for chunk, numbers in sequences.iter_chunks(index):
        rows = rows_of(chunk.starts[numbers], chunk.lengths[numbers])
        _mark(used, chunk.values[rows, -len(n_codes) :])
    return used


def _mark(used, codes):
    """Mark the codes (R, C) that occur: for each column a bool array."""
    for in_use, column in zip(used, codes.T, strict=True):
        in_use[column.astype(np.intp)] = True


def recoded(values, codes):
    """Rows of numbers and codes (R, …) with other codes: for each column of these the new ones of all old ones."""
    values = values.copy()
    for column, new in zip(values.T[-len(codes) :], codes, strict=True):
        column[:] = new[column.astype(np.intp)]
    return values


def _recoded_steps(sequences, codes):
    return sequences.replace(values=recoded(sequences.values, codes))


def on_numbers(sequences, change):
    """Sequences in memory changed by a function of the numbers of their steps; the codes after them stay."""
    n = sequences.n_features - sequences.n_codes
    if n == 0:
        return sequences
    changed = change(sequences.replace(values=sequences.values[:, :n], n_codes=0))
    values = np.concatenate([changed.values, sequences.values[:, n:]], axis=1)
    return changed.replace(values=values, n_codes=sequences.n_codes)


def without_codes(sequences):
    """The sequences without the codes at the end of their steps."""
    return sequences.map(_numbers) if sequences.n_codes else sequences


def _numbers(sequences):
    return sequences.replace(values=sequences.values[:, : sequences.n_features - sequences.n_codes], n_codes=0)


def order_of(encodings):
    """The places of numbers, then those of categories."""
    return sorted(range(len(encodings)), key=lambda j: encodings[j] is not None)
