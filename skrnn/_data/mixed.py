"""X with more than numbers per step: what stands beside the steps of each sequence, and categories."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral

import numpy as np

from skrnn._data.columns import cells_in, columns_of, first_cell
from skrnn._data.containers import check_finite
from skrnn._data.encoding import learn_encoding
from skrnn._data.features import features_of
from skrnn._data.foreign import check_item
from skrnn._data.numbers import as_numbers, is_sized
from skrnn._data.ragged import rows_of
from skrnn._data.schemas import check_unique, in_column, library_of
from skrnn._data.static_columns import StaticColumns, check_not_missing
from skrnn._data.step_cells import ColumnsOfLists, label_of, objects_in
from skrnn._data.tables import (
    as_objects,
    holds_categories,
    is_frame,
    is_table,
    names_of,
    normalize_table,
    select_columns,
)
from skrnn._data.with_static import WithStatic, as_static_table
from skrnn._messages import shown

FROM_DTYPE = "from_dtype"


@dataclass(frozen=True)
class Mixed:
    """What the features of steps, and those beside the steps, are.

    Parameters
    ----------
    steps : tuple of Encoding or None
        The categories of each feature of a step, in the order of X; None for a number. Empty until they
        are counted.
    static : tuple of Encoding or None
        Those of what stands beside the steps.
    step_names, static_names : tuple of str, or None
        Names of both.
    is_static : tuple of bool, or None
        Of a frame, which of its columns stand beside the steps.
    """

    steps: tuple
    static: tuple = ()
    step_names: tuple | None = None
    static_names: tuple | None = None
    is_static: tuple | None = None

    @property
    def step_encodings(self):
        """The encodings of the codes at the end of a step, in order."""
        return tuple(encoding for encoding in self.steps if encoding is not None)

    @property
    def static_encodings(self):
        """The encodings of the codes at the end of what stands beside the steps, in order."""
        return tuple(encoding for encoding in self.static if encoding is not None)

    @property
    def order(self):
        """The features of a step of X in the order of the network: numbers, then categories."""
        return order_of(self.steps)

    @property
    def number_names(self):
        """Names of the numbers of a step, or None."""
        if self.step_names is None:
            return None
        return [name for name, encoding in zip(self.step_names, self.steps, strict=True) if encoding is None]

    @property
    def static_number_names(self):
        """Names of the numbers beside the steps; x and their places where they have none."""
        n = len(self.static)
        places = range(len(self.steps), len(self.steps) + n) if self.is_static is None else np.flatnonzero(self.is_static)
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

    def read_static(self, static, n, missing):
        """Static features that are passed apart from sequences, float64 (n, S), NaN where a number is missing."""
        table = as_static_table(static, n)
        columns = StaticColumns.of(table, names_of(table) if is_frame(table) else self.static_names, "static")
        if len(columns.names) != len(self.static):
            raise ValueError(
                f"static has {len(columns.names)} features, expected {len(self.static)} as in fit"
                + (f": {list(self.static_names)}" if self.static_names else "")
            )
        if is_frame(table) and self.static_names and columns.names != list(self.static_names):
            raise ValueError(f"static has the columns {columns.names}, expected {list(self.static_names)} as in fit")
        values = columns.values(self.static)
        if missing == "error":
            check_not_missing(values, columns, self.static)
        if len(values) != n:
            raise ValueError(f"static has {len(values)} rows, expected {n}, one for each sequence")
        return values

    def read(self, X, read, n_steps, missing):
        """The sequences of X, with codes at the end of their steps and what stands beside them.

        Parameters
        ----------
        X : as the user passes it
        read : callable
            Reads a container of steps, with `allow_missing` or without.
        n_steps : int or None
        missing : str
            As in `Reading`.
        """
        parts = divide(X, self.is_static)
        self._check_static(parts.static)
        if not self.step_encodings:
            return self._beside(read(parts.steps, allow_missing=missing != "error"), parts, missing)
        cells = parts.cells(n_steps)
        if cells is None:
            sequences = read(parts.steps, allow_missing=True)
        else:
            self._check_n_features(len(cells.names))
            sequences = read(cells.replace(self._codes(cells)), allow_missing=True)
        self._check_n_features(sequences.n_features)
        change = partial(with_codes, encodings=self.steps, encoded=cells is not None, missing=missing)
        return self._beside(sequences.map(change), parts, missing)

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

    def _beside(self, sequences, parts, missing):
        """Sequences with what stands beside them, and the columns of X."""
        if parts.static is not None:
            static = parts.static.values(self.static)
            if missing == "error":
                check_not_missing(static, parts.static, self.static)
            if len(static) != len(sequences):
                raise ValueError(f"X has {len(sequences)} sequences and {len(static)} rows of static features")
            sequences = sequences.with_static(static.astype(sequences.dtype))
        if parts.table is not None or (sequences.kind == "table" and is_frame(parts.steps)):
            sequences.columns = parts.steps if parts.table is None else parts.table
        return sequences

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

    def encode_step(self, x):
        """A step (F,), or a step of each of n streams (n, F), with codes at its end: float64, or x where it has no F.

        Parameters
        ----------
        x : array-like, series, dict of the features by name, or data frame
        """
        if isinstance(x, Mapping):
            missing = [name for name in self.step_names or () if name not in x]
            if missing or self.step_names is None:
                raise ValueError(f"x has no {missing}" if missing else "x is a dict, but the features have no names")
            x = [x[name] for name in self.step_names]
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
            out[:, place] = self._encode_column(j, rows[:, j], name)
        return out.reshape(array.shape)

    def _encode_column(self, j, column, name):
        if self.steps[j] is None:
            return as_numbers(column, name)
        return self.steps[j].encode(column.tolist(), (name + "[{}]").format)


@dataclass
class Parts:
    """X in two parts.

    Parameters
    ----------
    steps : container of sequences
    static : StaticColumns or None
    table : data frame, Arrow table, object array, or None
        X itself, if its columns are the features of the estimator.
    is_static : tuple of bool, or None
        Which of its columns stand beside the steps.
    """

    steps: object
    static: object = None
    table: object = None
    is_static: tuple | None = None

    def cells(self, n_steps):
        """The steps with categories that are no numbers yet; None if all steps are numbers."""
        if is_table(self.steps) and _are_lists(self.steps):
            return ColumnsOfLists(self.steps)
        return objects_in(self.steps, n_steps)


def divide(X, is_static=None):
    """X in `Parts`.

    Parameters
    ----------
    X : as the user passes it
    is_static : tuple of bool, optional
        Which columns of a frame stand beside the steps, as learned in fit.
    """
    if isinstance(X, WithStatic):
        steps = divide(X.sequences)
        if steps.static is not None:
            raise ValueError(
                f"the frame of sequences has columns without lists, {steps.static.names}: expected all static features "
                "in one place, the frame or static"
            )
        return Parts(steps.steps, StaticColumns.of(X.static, X.static_names, "X.static"))
    X = normalize_table(X)
    if not is_table(X):
        X = _from_column(X)
        if not is_table(X):
            return Parts(X)
    if is_static is None or len(is_static) != len(names_of(X)):
        lists = [is_sized(first_cell(cells)) for _, cells in columns_of(X)]
        if not any(lists):
            return Parts(X)
        is_static = tuple(not held for held in lists)
    beside = np.flatnonzero(is_static)
    static = None
    if len(beside):
        table = select_columns(X, beside)
        names = [name if is_frame(X) else int(place) for name, place in zip(names_of(table), beside, strict=True)]
        static = StaticColumns.of(table, names, "X")
    return Parts(select_columns(X, np.flatnonzero(~np.array(is_static))), static, X, is_static)


def _from_column(X):
    """A series or an Arrow array of lists of strings as a table of one column; anything else unchanged."""
    if library_of(X) not in ("pandas", "polars", "pyarrow"):
        return X
    columns = columns_of(X)
    if len(columns) != 1 or not is_sized(first_cell(columns[0][1])) or not holds_categories(columns[0][1]):
        return X
    return X.to_frame() if hasattr(X, "to_frame") else as_objects(cells_in(columns[0], "X"))[:, np.newaxis]


def _are_lists(table):
    columns = columns_of(table)
    return bool(columns) and is_sized(first_cell(columns[0][1]))


def _is_from_dtype(categorical_features):
    return isinstance(categorical_features, str) and categorical_features == FROM_DTYPE


def is_mixed(X, categorical_features):
    """Whether X may have more than numbers of steps, which then has to be learned."""
    if isinstance(X, WithStatic) or not (categorical_features is None or _is_from_dtype(categorical_features)):
        return True
    with_categories = categorical_features is not None
    if isinstance(X, list | tuple):
        return with_categories and len(X) > 0 and is_frame(X[0]) and any(
            holds_categories(cells) for _, cells in columns_of(X[0])
        )
    if isinstance(X, np.ndarray):
        return X.ndim == 2 and X.dtype == object and _differ(columns_of(X), with_categories)
    return library_of(X) in ("pandas", "polars", "pyarrow") and _differ(columns_of(X), with_categories)


def _differ(columns, with_categories):
    """Whether columns of lists have others beside them, or hold categories."""
    firsts = [first_cell(cells) for _, cells in columns]
    lists = list(map(is_sized, firsts))
    if not any(lists):
        return False
    if not all(lists):
        for (name, _), cell in zip(columns, firsts, strict=True):
            check_item(cell, f"the first cell of X{in_column(name)}")
    return not all(lists) or (with_categories and any(holds_categories(cells) for _, cells in columns))


def learn_mixed(X, n_steps, categorical_features, read):
    """What the features of an X are, as its first fit sees them; None if they are all numbers of steps.

    Parameters
    ----------
    X : as the user passes it
    n_steps : int or None
    categorical_features : "from_dtype", None, names, indices or mask
        Over the columns of a frame; else over the features of a step, and then those that stand beside the steps.
    read : callable
        Reads a container of steps, with `allow_missing` or without.

    Returns
    -------
    Mixed or None
    """
    parts = divide(X)
    if _is_from_dtype(categorical_features) or categorical_features is None:
        mixed = _learn_from_dtypes(parts, n_steps, categorical_features is not None)
    else:
        mixed = _learn_chosen(parts, n_steps, categorical_features, read)
    return mixed if mixed.static or mixed.step_encodings else None


def _learn_from_dtypes(parts, n_steps, with_categories):
    """What the features are where dtypes say which are categories, or where none is."""
    cells = parts.cells(n_steps) if with_categories and _may_hold_categories(parts.steps) else None
    of_steps = [] if cells is None else cells.holds_categories()
    static = parts.static
    of_static = [] if static is None else [with_categories and held for held in static.holds_categories()]
    return _learn(parts, cells, None, of_steps, of_static)


def _learn_chosen(parts, n_steps, categorical_features, read):
    """What the features are where the user says which are categories."""
    cells = parts.cells(n_steps)
    sequences = read(parts.steps, allow_missing=True) if cells is None else None
    names = cells.names if cells is not None else (
        _names_of_features(sequences) or list(range(sequences.n_features))
    )
    n, static = len(names), parts.static
    labels = [*names, *([] if static is None else static.names)]
    if parts.is_static is None:
        order = np.arange(len(labels))
    else:       # the columns of a frame, in its order
        order = np.argsort(np.argsort(parts.is_static, kind="stable"), kind="stable")
        labels = [labels[place] for place in order]
    chosen = choose(categorical_features, labels)[np.argsort(order)]
    return _learn(parts, cells, sequences, chosen[:n].tolist(), chosen[n:].tolist())


def _learn(parts, cells, sequences, of_steps, of_static):
    """What the features are, given which are categories."""
    static = parts.static
    if cells is not None:
        names = cells.names
    elif sequences is not None:
        names = _names_of_features(sequences)
    else:
        names = names_of(parts.steps) if is_frame(parts.steps) else getattr(parts.steps, "feature_names", None)
    # Where features have no names, these are of their places in X
    places, beside = (range(len(chosen)) for chosen in (of_steps, of_static))
    if parts.is_static is not None:
        places, beside = np.flatnonzero(~np.array(parts.is_static)), np.flatnonzero(parts.is_static)
    steps = tuple(_learn_step(j, places[j], names, cells, sequences) if chosen else None for j, chosen in enumerate(of_steps))
    named = names is not None and all(isinstance(name, str) for name in names)
    of_static = tuple(_learn_static(j, static, beside[j]) if chosen else None for j, chosen in enumerate(of_static))
    static_named = static is not None and all(isinstance(name, str) for name in static.names)
    return Mixed(
        steps, of_static, tuple(names) if named else None, tuple(static.names) if static_named else None, parts.is_static
    )


def _names_of_features(sequences):
    """Names of the features of steps, or None."""
    if sequences.columns is None or sequences.kind == "table":
        return sequences.names
    return names_of(sequences.columns)


def _learn_step(j, place, names, cells, sequences):
    """The encoding of a feature of steps."""
    label = f"x{place}" if names is None or not isinstance(names[j], str) else names[j]
    if cells is not None:
        lists = cells.lists(j)
        flat = [cell for values in lists for cell in values]
        return learn_encoding(label, flat, label_of(cells.names[j], lists), cells.announced(j))
    found = [
        np.unique(chunk.values[rows_of(chunk.starts[numbers], chunk.lengths[numbers]), j])
        for chunk, numbers in sequences.iter_chunks(np.arange(len(sequences)))
    ]
    return learn_encoding(label, np.concatenate(found), "X[{}]".format)


def _learn_static(j, static, place):
    """The encoding of what stands beside the steps."""
    name = static.names[j] if isinstance(static.names[j], str) else f"x{place}"
    return learn_encoding(name, static.cells(j), static.label(j), static.announced(j))


def _may_hold_categories(steps):
    """Whether dtypes can say which features of steps are categories: those of frames, and of columns."""
    if isinstance(steps, list | tuple):
        return bool(len(steps)) and is_frame(steps[0])
    return is_table(steps)


def choose(categorical_features, labels):
    """Which features are categories, (n,) bool.

    Parameters
    ----------
    categorical_features : array-like of names, indices or bools
    labels : list
        Names of all features; their numbers where they have none.

    Raises
    ------
    ValueError, TypeError
        For a name or an index that there is not, and a mask of another length.
    """
    shown_as = f"categorical_features={shown(categorical_features)}"
    if isinstance(categorical_features, str) or not is_sized(categorical_features):
        raise TypeError(f"{shown_as}: expected \"from_dtype\", None, or a list of names or indices")
    n, given = len(labels), list(categorical_features)
    chosen = np.zeros(n, bool)
    if all(isinstance(entry, str) for entry in given):
        other = next((name for name in given if name not in labels), None)
        if other is not None:
            raise ValueError(f"{shown_as}: there is no feature {other!r}, expected some of {shown(labels)}")
        return np.isin(np.array(labels, dtype=object), given)
    if all(isinstance(entry, bool | np.bool_) for entry in given):
        if len(given) != n:
            raise ValueError(f"{shown_as} is a mask of {len(given)}, expected one entry for each of {n} features")
        return np.array(given, bool)
    if not all(isinstance(entry, Integral) and not isinstance(entry, bool | np.bool_) for entry in given):
        raise TypeError(f"{shown_as}: expected all names, all indices, or a mask of bools")
    if not all(0 <= entry < n for entry in given):
        raise ValueError(f"{shown_as}: expected indices from 0 to {n - 1}, of {n} features")
    chosen[given] = True
    return chosen


def with_codes(sequences, encodings, encoded, missing):
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
    return sequences.replace(values=values[:, order_of(encodings)], n_codes=len(columns))


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
