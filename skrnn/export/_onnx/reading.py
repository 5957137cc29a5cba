"""X in an ONNX graph: its inputs, and what a network reads of them, as `Reading` says."""

from typing import NamedTuple

import numpy as np

from skrnn._data.missing import WITH_INDICATORS
from skrnn._data.reading import FILLED
from skrnn.exceptions import ExportError
from skrnn.export._onnx.functions import fill_forward, is_step, last_step
from skrnn.export._onnx.own_units import in_own_units
from skrnn.export._onnx.single_precision import as_float32
from skrnn.export._onnx.steps import Steps
from skrnn.export._onnx.times import split_times

# What stands for a missing category
MISSING_TEXT, MISSING_NUMBER = "", int(np.iinfo(np.int64).min)
# Numbers that ONNX has as categories
RANGE = range(MISSING_NUMBER + 1, -MISSING_NUMBER)


class Inputs(NamedTuple):
    """Names of the values that X is in a graph. Steps have the categories of each feature in a value of their own.

    Where values may be missing, and a length is 0, the sequence ends with the last step of which something is known.
    """

    lengths: str                    # (n,) int64
    numbers: str | None = None      # (n, T, numbers) float32, in the order of X, the time among them
    categories: tuple = ()          # (n, T) str or int64, of each feature that is embedded
    static: str | None = None       # (n, numbers) float32
    static_categories: tuple = ()   # (n,) str or int64
    ids: str | None = None          # (n, T) int64, where each step is one category; less than 0 where it is missing

    @property
    def steps(self):
        """A value whose first axes are sequences and steps."""
        return next(value for value in (self.ids, self.numbers, *self.categories) if value is not None)


def declare_inputs(g, reading):
    """Declare the inputs of the model that X is.

    They are ``X``, float32 of shape (n, steps, numbers), or int64 of shape (n, steps) where each step is one category;
    ``lengths``, int32; ``static``, float32 of shape (n, numbers); and a value for each categorical feature under its
    name, (n, steps) or (n,), of strings or int64.

    Parameters
    ----------
    g : Graph
    reading : Reading

    Returns
    -------
    Inputs

    Raises
    ------
    ExportError
        For categories that are neither strings nor whole numbers.
    """
    n_numbers = reading.n_step_features - len(reading.step_encodings)
    numbers = ids = None
    if reading.n_categories:
        ids = g.input("X", np.int64, ("n", "steps"))
    elif n_numbers:
        numbers = g.input("X", np.float32, ("n", "steps", n_numbers))
    return declare_others(g, reading, Inputs(declare_lengths(g), numbers, ids=ids))


def declare_lengths(g):
    """Declare the input of the numbers of steps of sequences; returns it as int64."""
    return g.cast(g.input("lengths", np.int32, ("n",)), np.int64)


def declare_others(g, reading, inputs):
    """Declare the inputs that stand beside the numbers of steps; returns the inputs with these."""
    n_static = reading.n_static - len(reading.static_encodings)
    static = g.input("static", np.float32, ("n", n_static)) if n_static else None
    categories = [g.input(encoding.name, _type_of(encoding), ("n", "steps")) for encoding in reading.step_encodings]
    of_static = [g.input(encoding.name, _type_of(encoding), ("n",)) for encoding in reading.static_encodings]
    return inputs._replace(categories=tuple(categories), static=static, static_categories=tuple(of_static))


def read(g, reading, inputs):
    """What the network reads of inputs.

    Parameters
    ----------
    g : Graph
    reading : Reading
    inputs : Inputs

    Returns
    -------
    Steps
    """
    lengths = known_lengths(g, reading, inputs)
    return read_on(g, reading, inputs._replace(lengths=lengths))[0]


def read_on(g, reading, inputs, memory=None):
    """What the network reads of sequences that continue others, and what is to be known of them by those after them.

    Parameters
    ----------
    g : Graph
    reading : Reading
    inputs : Inputs
        With lengths of 1 at least.
    memory : str, optional
        (n, `reading.memory_width`), of the steps before; None before the first ones.

    Returns
    -------
    Steps
    str
        The memory after the last steps; None where the width is 0.
    """
    lengths, static = inputs.lengths, read_static(g, reading, inputs)
    if reading.n_categories:
        categories, after = _categories(g, reading, inputs.ids, lengths, memory)
        return Steps(None, lengths, static, categories), after
    codes = [
        g.unsqueeze(_codes(g, encoding, values), 2)
        for encoding, values in zip(reading.step_encodings, inputs.categories, strict=True)
    ]
    parts, after, own = [], None, None
    if inputs.numbers is not None:
        parts, after, own = _numbers(g, reading, inputs.numbers, lengths, memory)
    return Steps(g.concat([*parts, *codes], axis=2), lengths, static, own=own), after


def read_static(g, reading, inputs):
    """The static features (n, S) as the network reads them: numbers, indicators, codes; None without any."""
    numbers, parts = inputs.static, []
    if numbers is not None and reading.static_units is not None and reading.missing in FILLED:
        missing, center = g.op("IsNaN", numbers), reading.static_units.center
        parts.append(g.where(missing, g.constant(as_float32("center of static features", center)), numbers))
        if reading.missing in WITH_INDICATORS:
            parts.append(g.cast(missing, np.float32))
    elif numbers is not None:
        parts.append(numbers)
    pairs = zip(reading.static_encodings, inputs.static_categories, strict=True)
    parts += [g.unsqueeze(_codes(g, encoding, values), 1) for encoding, values in pairs]
    return g.concat(parts, axis=1) if parts else None


def _numbers(g, reading, x, lengths, memory):
    """The numbers of steps as the network reads them, in parts; the memory after them; and the sequences' own units."""
    n_seen = reading.n_numbers if reading.missing in FILLED else 0
    added, after, own = [], [], None
    if reading.times is not None:
        of_times = None if memory is None else g.columns(memory, n_seen, reading.memory_width)
        x, of_steps, of_times = split_times(g, reading.times, x, lengths, of_times)
        added, after = [of_steps], [of_times]
    values = x
    if reading.in_own_units and reading.n_numbers:
        inside = g.unsqueeze(is_step(g, lengths, g.shape(x, 1)), 2)
        values, *own = in_own_units(g, x, inside, reading.units, fill=bool(n_seen))
    elif n_seen:
        before = g.constant(as_float32("center of features", np.zeros(n_seen) + reading.before_first)[np.newaxis])
        before = before if memory is None else g.columns(memory, 0, n_seen)
        values = fill_forward(g, x, g.op("Not", g.op("IsNaN", x)), before)
        after = [last_step(g, values, lengths), *after]
    indicators = [g.cast(g.op("IsNaN", x), np.float32)] if reading.n_indicators else []
    parts = [part for part in (values, *indicators, *added) if part is not None]
    return parts, g.concat(after, axis=1) if after else None, own and tuple(own)


def _categories(g, reading, ids, lengths, memory):
    """Steps that are categories, (n, T) int64, and the last one before them if some may be missing, (n, 1)."""
    last, after = reading.n_categories - 1, None
    known = g.op("Not", g.op("Less", ids, 0))
    if reading.missing in FILLED:
        before = g.ints(last) if memory is None else g.cast(memory, np.int64)
        before = g.unsqueeze(before, 1) if memory is None else before
        ids = fill_forward(g, g.unsqueeze(ids, 2), g.unsqueeze(known, 2), before)
        after, ids = g.cast(last_step(g, ids, lengths), np.float32), g.squeeze(ids, 2)
    else:
        ids = g.where(known, ids, last)
    return g.op("Min", ids, last), after


def all_where_zero(g, inputs):
    """The numbers of steps (n,), of a length of 0 all."""
    return g.where(g.op("Greater", inputs.lengths, 0), inputs.lengths, g.shape(inputs.steps, 1))


def _codes(g, encoding, values):
    """The codes (…) of categories, float32; the last one for what the fit did not see."""
    codes = {_missing(encoding): encoding.missing}
    codes |= {category: code for code, category in enumerate(encoding.categories)}
    return _look_up(g, encoding, values, codes, encoding.n_codes - 1)


def _look_up(g, encoding, values, numbers, other):
    """The number (…) float32 of each category, and another one of those that have none."""
    as_text = _type_of(encoding) is str
    keys = {"keys_strings": list(numbers)} if as_text else {"keys_int64s": list(map(int, numbers))}
    return g.op(
        "LabelEncoder", values, domain="ai.onnx.ml", values_floats=list(map(float, numbers.values())),
        default_float=float(other), **keys,
    )


def _type_of(encoding):
    """The type that categories have in ONNX: str or int64."""
    if encoding.is_of_text:
        return str
    for category in encoding.categories:
        if not float(category).is_integer() or int(category) not in RANGE:
            raise ExportError(
                f"the categorical feature {encoding.name!r} has the category {category!r}, and categories in ONNX are "
                "strings or whole numbers of 64 bits: make them strings before fit"
            )
    return np.int64


def _missing(encoding):
    """What stands for a missing category."""
    return MISSING_TEXT if _type_of(encoding) is str else MISSING_NUMBER


def known_lengths(g, reading, inputs):
    """The numbers of steps (n,): of a length of 0 up to the last one of which something is known, 1 at least."""
    if reading.missing == "error":
        return all_where_zero(g, inputs)
    known = []
    if inputs.ids is not None:
        known.append(g.op("Not", g.op("Less", inputs.ids, 0)))
    if inputs.numbers is not None:
        some = g.reduce("ReduceMax", g.where(g.op("IsNaN", inputs.numbers), 0.0, 1.0), 2)
        known.append(g.op("Greater", some, 0.0))
    for encoding, values in zip(reading.step_encodings, inputs.categories, strict=True):
        known.append(g.op("Greater", _look_up(g, encoding, values, {_missing(encoding): 0}, 1), 0.0))
    found = known[0]
    for other in known[1:]:
        found = g.op("Or", found, other)
    numbers = g.add(g.range(g.shape(inputs.steps, 1)), 1)
    last = g.reduce("ReduceMax", g.where(found, numbers, 1), 1)
    return g.where(g.op("Greater", inputs.lengths, 0), inputs.lengths, last)
