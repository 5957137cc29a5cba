"""Which features of X are categories, and which categories there are: what a first fit learns of such an X."""

import re
from numbers import Integral

import numpy as np

from skrnn._data.encoding import learn_encoding
from skrnn._data.mixed import Mixed
from skrnn._data.numbers import is_missing, is_sized
from skrnn._data.parts import divide, is_from_dtype
from skrnn._data.ragged import rows_of
from skrnn._data.step_cells import label_of
from skrnn._data.tables import is_frame, is_table, names_of
from skrnn._messages import shown
from skrnn._warnings import warn_user

# As many categories as sequences may be so by chance where these are fewer
MIN_OF_EACH_ITS_OWN = 10
DECIMAL = re.compile(r"[-+]?\d*\.\d+([eE][-+]?\d+)?")


def learn_mixed(X, n_steps, categorical_features, read):
    """What the features of an X are, as its first fit sees them; None if they are all numbers of steps.

    Parameters
    ----------
    X : as the user passes it
    n_steps : int or None
    categorical_features : "from_dtype", None, names, indices or mask
        Over the columns of a frame; else over the features of a step, and then the static ones.
    read : callable
        Reads a container of steps, with `allow_missing` or without.

    Returns
    -------
    Mixed or None
    """
    parts = divide(X)
    if is_from_dtype(categorical_features) or categorical_features is None:
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


def warn_of_texts(mixed, n):
    """Warn of features of n sequences that dtypes say are text, and that are hardly meant as categories."""
    n_steps = len(mixed.step_encodings)
    for place, encoding in enumerate((*mixed.step_encodings, *mixed.static_encodings)):
        what = f"{encoding.name!r} is read as {len(encoding.categories)} categories"
        if encoding.announced or not encoding.categories:
            continue
        if all(map(is_decimal, encoding.categories)):
            warn_user(
                f"{what}, since it holds text, but decimal numbers, such as {shown(encoding.categories[0])}. If they "
                "are numbers, convert them, in pandas by pd.to_numeric; if they are categories, name the feature in "
                "categorical_features"
            )
        elif place >= n_steps and len(encoding.categories) == n >= MIN_OF_EACH_ITS_OWN:
            warn_user(
                f"{what}, one for each sequence, from which nothing can be learned that others have. If they are the "
                "names of sequences leave the column out; if they are categories, name it in categorical_features"
            )


def is_decimal(text):
    """Whether a category is a number with a decimal point, as text: codes of digits alone may be names."""
    return isinstance(text, str) and DECIMAL.fullmatch(text.strip()) is not None


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
    step_places, static_places = (range(len(chosen)) for chosen in (of_steps, of_static))
    if parts.is_static is not None:
        step_places, static_places = np.flatnonzero(~np.array(parts.is_static)), np.flatnonzero(parts.is_static)
    steps = tuple(
        _learn_step(j, step_places[j], names, cells, sequences) if chosen else None for j, chosen in enumerate(of_steps)
    )
    named = names is not None and all(isinstance(name, str) for name in names)
    _check_no_strings(static, of_static)
    of_static = tuple(
        _learn_static(j, static, static_places[j]) if chosen else None for j, chosen in enumerate(of_static)
    )
    static_named = static is not None and all(isinstance(name, str) for name in static.names)
    return Mixed(
        steps, of_static, tuple(names) if named else None, tuple(static.names) if static_named else None,
        parts.is_static,
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


def _check_no_strings(static, chosen):
    """Raise a ValueError that names the first static column of strings that is not chosen to be categories."""
    for j, encoded in enumerate(chosen):
        cells = () if encoded else static.cells(j)
        row = next((i for i, cell in enumerate(cells) if not is_missing(cell)), 0)
        if len(cells) and isinstance(cells[row], str):
            raise ValueError(
                f"{static.label(j)(row)} is {shown(cells[row])}, but categorical_features leaves this column of "
                "strings out: add it, or leave it out of X"
            )


def _learn_static(j, static, place):
    """The encoding of a static feature."""
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
        if other is not None and not any(isinstance(label, str) for label in labels):
            raise ValueError(
                f"{shown_as}: the features of X have no names, expected indices from 0 to {n - 1}, or a mask"
            )
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
