"""What parts of X tell, put together: its sequences, their features, and which of these are categories."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skrnn._data.encoding import merged_encoding
from skrnn._data.lazy import LazySequences
from skrnn._data.sequences import Sequences

PADDED = ", and some are padded: expected the same number in all partitions, or sequences without padding"


class PartOfX(NamedTuple):
    """What a partition of X, which has been read, tells of all of it."""

    number: int             # of the partition
    lengths: np.ndarray
    kind: str
    n_padded: int | None
    n_features: int
    dtype: np.dtype
    n_codes: int
    static: np.ndarray | None
    n_features_in: int
    names: tuple | None

    @classmethod
    def of(cls, number, sequences, n_features_in, names):
        """That of a partition with these sequences, and with what `FirstReading.read` says of its features."""
        return cls(
            number, sequences.lengths, sequences.kind, sequences.n_padded, sequences.n_features, sequences.dtype,
            sequences.n_codes, sequences.static, n_features_in, names,
        )

    @property
    def n_steps(self):
        """Steps of each sequence of an array or a table, with padding."""
        return self.n_padded or int(self.lengths[0])


def check_alike(parts):
    """Raise a ValueError that names the first partition whose features are others than those of the first one."""
    first = parts[0]
    for part in parts[1:]:
        where, as_in = f"partition {part.number} of X", f"as in partition {first.number}"
        kinds = [{"table": "a table, (n, columns)"}.get(each.kind, "sequences by themselves") for each in (part, first)]
        if kinds[0] != kinds[1]:
            raise ValueError(f"{where} is {kinds[0]}, expected {kinds[1]} {as_in}")
        if part.names != first.names:
            raise ValueError(f"{where} has the features {_listed(part)}, expected {_listed(first)} {as_in}")
        for n, expected in ((part.n_features_in, first.n_features_in), (part.n_features, first.n_features)):
            if n != expected:
                raise ValueError(f"{where} has {n} features, expected {expected} {as_in}")


def _listed(part):
    return "without names" if part.names is None else list(part.names)


def kind_of_all(parts):
    """What kind of container all of X is, and how many steps each of its sequences has with padding, or None."""
    first, padded = parts[0], any(part.n_padded for part in parts)
    kind = "ragged" if any(part.kind != first.kind for part in parts) else first.kind
    if kind == "ragged":
        other = next((part for part in parts if part.n_padded), None)
        if other is not None:
            raise ValueError(f"partition {other.number} of X is an array, and others are not{PADDED}")
        return kind, None
    other = next((part for part in parts if part.n_steps != first.n_steps), None)
    if other is None:
        return kind, first.n_steps if padded else None
    if padded or kind == "table":
        raise ValueError(
            f"partition {other.number} of X has sequences of {other.n_steps} steps, and partition {first.number} of "
            f"{first.n_steps}" + (PADDED if padded else ": expected the same number of columns in all partitions")
        )
    return "ragged", None


def merged_mixed(parts):
    """What the features of all of X are, given what each of its parts is; and whether there may be unused categories.

    Parameters
    ----------
    parts : list of (int, Mixed or None)
        The numbers of partitions, and what `FirstReading.learn_mixed` returned.
    """
    known = [(number, mixed) for number, mixed in parts if mixed is not None]
    if not known:
        return None, False
    number, first = known[0]
    for other, mixed in known[1:]:
        for what in ("static", "is_static", "static_names", "step_names"):
            ours, theirs = getattr(first, what), getattr(mixed, what)
            if (len(ours) != len(theirs)) if what == "static" else ours != theirs:
                raise ValueError(
                    f"partition {other} of X has other features than partition {number}: {_described(mixed)}, expected "
                    f"{_described(first)}"
                )
    of_all = [mixed for _, mixed in parts]
    steps = _merged([() if mixed is None else mixed.steps for mixed in of_all])
    static = _merged([() if mixed is None else mixed.static for mixed in of_all])
    merged = replace(first, steps=tuple(each for each, _ in steps), static=tuple(each for each, _ in static))
    return merged, any(may_have_unused for _, may_have_unused in (*steps, *static))


def _merged(encodings_of_parts):
    """What `merged_encoding` returns of each feature, or None and False of a number; () of a part is all numbers."""
    n = max(map(len, encodings_of_parts))
    columns = zip(*(encodings or (None,) * n for encodings in encodings_of_parts), strict=True)
    return [merged_encoding(column) if any(column) else (None, False) for column in columns]


def _described(mixed):
    steps = f"features of steps {list(mixed.step_names)}" if mixed.step_names else "features of steps without names"
    static = f"static features {list(mixed.static_names)}" if mixed.static_names else f"{len(mixed.static)} static ones"
    return f"{steps}, {static}"


def joined(parts, dtype):
    """Sequences of a dtype that follow each other as one; what was in the list is let go of as it is copied.

    Parameters
    ----------
    parts : list of Sequences or LazySequences
        Emptied.
    dtype : dtype
    """
    if len(parts) == 1:
        return parts.pop().astype(dtype)
    if all(isinstance(part, Sequences) for part in parts):
        return _joined_in_memory(parts, dtype)
    of_each, parts[:] = [part.astype(dtype) for part in parts], []
    first = of_each[0]
    return LazySequences(
        _ReadOfSeveral(of_each), np.concatenate([part.lengths for part in of_each]), first.kind, first.n_features,
        dtype, static=_joined_or_none([part.static for part in of_each]), n_codes=first.n_codes,
    )


def _joined_in_memory(parts, dtype):
    """`joined` of sequences in memory."""
    kind, n_codes = parts[0].kind, parts[0].n_codes
    lengths = np.concatenate([part.lengths for part in parts])
    static = _joined_or_none([part.static for part in parts])
    categories = _joined_or_none([part.categories for part in parts])
    rows = np.cumsum([0, *(len(part.values) for part in parts)])
    contiguous = all(part.contiguous for part in parts)
    starts = [part.starts + row for part, row in zip(parts, rows, strict=False)]
    values = np.empty((rows[-1], parts[0].n_features), dtype)
    for row in rows[:-1]:
        part = parts.pop(0)
        values[row : row + len(part.values)] = part.values
    return Sequences(
        values, lengths, kind, categories=categories, starts=None if contiguous else np.concatenate(starts),
        static=None if static is None else static.astype(dtype), n_codes=n_codes,
    )


def _joined_or_none(arrays):
    return None if arrays[0] is None else np.concatenate(arrays)


class _ReadOfSeveral:
    """Reads some of sequences that follow each other.

    Parameters
    ----------
    parts : list of Sequences or LazySequences
    """

    def __init__(self, parts):
        self.parts = parts
        self.ends = np.cumsum([len(part) for part in parts])

    def __call__(self, index):
        owners = np.searchsorted(self.ends, index, "right")
        order = np.argsort(owners, kind="stable")
        loaded = []
        for owner in np.unique(owners):
            part = self.parts[owner]
            own = index[owners == owner] - (self.ends[owner] - len(part))
            chunk, numbers = part.load(own)
            loaded.append(chunk.copy_of(numbers))
        chunk = joined(loaded, self.parts[0].dtype)
        return chunk.copy_of(np.argsort(order)) if (order[1:] < order[:-1]).any() else chunk
