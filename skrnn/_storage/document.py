"""Plain data as strict JSON, with their arrays by name.

What JSON has not is an object with a "class" in lower case: tuples, numbers of NumPy, NaN and infinities, arrays, texts
in arrays, dates, slices, dtypes and NumPy's generators of random numbers.
"""

import math
import re
from collections import Counter
from types import NoneType

import numpy as np

from skrnn._messages import shown
from skrnn._plain import CLASS, CONTAINERS, DICT, MAX_DEPTH, OBJECTS, PlainDataError, fits, inside, kinds_of, made_of
from skrnn._storage.container import is_storable

BIT_GENERATORS = {
    each.__name__: each
    for each in (np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64)
}
# What JSON has as it is
OF_JSON = frozenset({NoneType, bool, int, str})
# The greatest code of a character
MAX_CHARACTER = 0x10FFFF
# Numbers that the state of a Mersenne twister has, and the last place among them
N_TWISTER = 624
# The dtypes that files name, as NumPy writes them
DTYPE = re.compile(r"[<>|=]?([biufOUS]\d{0,10}|[mM]8(\[\d{0,9}[a-zA-Zμ]{1,7}\])?)")
# An array that more objects share is written again: what is made of a file is no larger than so many files
MAX_USES = 8
# The longest whole numbers, in bits: Python refuses to read longer ones, if it is told so
MAX_BITS = 2048


def are_json(items):
    """Whether JSON has all of these as they are."""
    kinds = kinds_of(items)
    return kinds <= OF_JSON and (
        int not in kinds or all(item.bit_length() <= MAX_BITS for item in items if type(item) is int)
    )


class Writer:
    """Makes JSON of plain data, and collects their arrays.

    Attributes
    ----------
    arrays : dict of str to array
    """

    def __init__(self):
        self.arrays, self._known, self._generators, self._uses = {}, {}, {}, Counter()

    def encode(self, value, where, depth=0):
        """What JSON has for plain data.

        Parameters
        ----------
        value : plain data
        where : tuple of str
            Where they are, for the names of arrays and for messages.
        depth : int
            How many others they are in.

        Raises
        ------
        TypeError
            For what is no plain data, or lies too deep, naming where it is.
        """
        if depth > MAX_DEPTH:
            raise TypeError(f"{'.'.join(where[:9])} … lies in more than {MAX_DEPTH} others, which no model file holds")
        kind = type(value)
        if kind in OF_JSON and are_json([value]):
            return value
        if kind is float:
            return value if math.isfinite(value) else {CLASS: "float", "value": str(value)}
        if kind is list:
            return self._items(value, where, depth)
        if kind is tuple:
            return {CLASS: "tuple", "items": self._items(value, where, depth + 1)}
        if kind is dict:
            inner = value.get(CLASS) in (DICT, OBJECTS)
            if are_json(value.values()):
                return dict(value)
            return {
                key: self.encode(part, where if inner else (*where, key), depth + 1) for key, part in value.items()
            }
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if isinstance(value, np.generic):
            return self._scalar(value, where)
        if kind in (np.random.RandomState, np.random.Generator):
            return self._generator(value, where)
        if kind is slice:
            return {CLASS: "slice", "bounds": self._items([value.start, value.stop, value.step], where, depth + 1)}
        if isinstance(value, np.dtype) or (kind is type and issubclass(value, np.generic)):
            return {CLASS: "dtype" if kind is not type else "scalar type", "name": np.dtype(value).str}
        raise cannot_store(value, ".".join(where))

    def _scalar(self, value, where):
        if value.dtype.kind in "biufU" and is_storable(value.dtype if value.dtype.kind != "U" else bool):
            return {CLASS: "number", "dtype": value.dtype.str, "value": self.encode(value.item(), where)}
        return {CLASS: "scalar", "value": self._array(np.asarray(value), where)}

    def _items(self, items, where, depth):
        if are_json(items) or (kinds_of(items) == {float} and all(map(math.isfinite, items))):
            return list(items)
        return [self.encode(item, (*where, str(i)), depth + 1) for i, item in enumerate(items)]

    def _array(self, array, where):
        if array.dtype.kind == "U":
            native = np.asarray(array, array.dtype.newbyteorder("="), order="C")
            codes = native.reshape(-1).view(np.uint32).reshape(*array.shape, array.itemsize // 4)
            return {CLASS: "texts", "codes": self._named(array, codes, where)}
        if array.dtype.kind in "mM":
            return {CLASS: "dates", "dtype": array.dtype.str, "values": self._named(array, array.view(np.int64), where)}
        if not is_storable(array.dtype):
            raise cannot_store(array, ".".join(where))
        return {CLASS: "array", "name": self._named(array, array, where)}

    def _named(self, original, array, where):
        """The name of an array, the same for the same array, unless that has been used too often."""
        self._uses[id(original)] += 1
        if self._uses[id(original)] % MAX_USES == 1:
            name = ".".join(where) or "array"
            while name in self.arrays:
                name += "_"
            self.arrays[name] = array
            self._known[id(original)] = name, original      # which so lives on, and keeps its id
        return self._known[id(original)][0]

    def _generator(self, generator, where):
        """A generator of random numbers: what is shared stays shared."""
        if id(generator) in self._generators:
            return {CLASS: "same generator", "number": self._generators[id(generator)][0]}
        self._generators[id(generator)] = len(self._generators), generator
        if type(generator) is np.random.RandomState:
            state = generator.get_state(legacy=False)
        else:
            state = generator.bit_generator.state
        if state["bit_generator"] not in BIT_GENERATORS:
            raise cannot_store(generator, ".".join(where))
        return {CLASS: type(generator).__name__, "state": self.encode(state, where)}


def cannot_store(value, where):
    """The error that says what cannot be stored, and where it is."""
    shown = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else (
        f"{type(value).__name__} {getattr(value, '__name__', '')}".strip()
    )
    return TypeError(
        f"{where} is {shown}, which a model file cannot hold, since loading runs no code: expected numbers, strings, "
        "arrays, lists, dicts, estimators of skrnn, or of scikit-learn those that the guide's page on saving lists; "
        "pass something else, or pickle it"
    )


class Reader:
    """Makes plain data of JSON and arrays: the inverse of `Writer`.

    Parameters
    ----------
    arrays : dict of str to array

    """

    def __init__(self, arrays):
        self.arrays, self._uses, self._generators = arrays, Counter(), []
        self._kinds = {
            "float": ({"value": str}, _special), "tuple": ({"items": list}, tuple),
            "number": ({"dtype": str, "value": bool | int | float | str}, _number),
            "scalar": ({"value": np.ndarray}, _scalar), "array": ({"name": str}, self._array),
            "texts": ({"codes": str}, self._texts), "dates": ({"dtype": str, "values": str}, self._dates),
            "slice": ({"bounds": list}, _slice), "dtype": ({"name": str}, _dtype),
            "scalar type": ({"name": str}, lambda name: _dtype(name).type),
            "same generator": ({"number": int}, self._same_generator),
            "RandomState": ({"state": dict}, self._random_state), "Generator": ({"state": dict}, self._generator),
        }

    def decode(self, data, where, depth=0):
        """Plain data.

        Parameters
        ----------
        data : what JSON has for them
        where : str
        depth : int

        Raises
        ------
        PlainDataError
            For what `Writer` does not write.
        """
        if depth > MAX_DEPTH:
            raise PlainDataError(f"{where} lies in more than {MAX_DEPTH} others")
        if isinstance(data, list):
            if CONTAINERS.isdisjoint(kinds_of(data)):
                return data
            return [self.decode(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(data)]
        if not isinstance(data, dict):
            return data
        parts = data
        if not CONTAINERS.isdisjoint(kinds_of(data.values())):
            parts = {name: self.decode(part, inside(where, name), depth + 1) for name, part in data.items()}
        kind = parts.get(CLASS)
        if not isinstance(kind, str) or kind not in self._kinds:
            return parts
        types, make = self._kinds[kind]
        parts = {name: part for name, part in parts.items() if name != CLASS}
        return made_of(parts, types, where, lambda **parts: make(*parts.values()))

    @property
    def not_used(self):
        """Names of the arrays that nothing needed, in order."""
        return sorted(self.arrays.keys() - self._uses.keys())

    def _array(self, name):
        if name not in self.arrays:
            raise ValueError(f"there is no array {name!r}")
        self._uses[name] += 1
        if self._uses[name] > MAX_USES:
            raise ValueError(f"the array {name!r} is used more than {MAX_USES} times")
        return self.arrays[name]

    def _texts(self, codes):
        codes = self._array(codes)
        if codes.dtype != np.uint32 or not codes.ndim or codes.shape[-1] == 0 or codes.max(initial=0) > MAX_CHARACTER:
            raise ValueError("characters must be of codes that there are, uint32")
        return np.ascontiguousarray(codes).view(f"<U{codes.shape[-1]}").reshape(codes.shape[:-1])

    def _dates(self, dtype, values):
        values, dtype = self._array(values), _dtype(dtype)
        if values.dtype != np.int64 or dtype.kind not in "mM":
            raise ValueError("dates must be of such a dtype, as int64")
        return values.view(dtype)

    def _random_state(self, state):
        made = np.random.RandomState(_bit_generator(state))
        made.set_state(state)
        self._generators.append(made)
        return made

    def _generator(self, state):
        bit_generator = _bit_generator(state)
        bit_generator.state = state
        self._generators.append(np.random.Generator(bit_generator))
        return self._generators[-1]

    def _same_generator(self, number):
        if not 0 <= number < len(self._generators):
            raise ValueError(f"there is no generator {number} before")
        return self._generators[number]


def _bit_generator(state):
    """A bit generator of the kind that a state is of, which is one that it can have."""
    kind = state.get("bit_generator")
    if not isinstance(kind, str) or kind not in BIT_GENERATORS:
        raise ValueError(f"{kind!r} is no generator of random bits that skrnn knows")
    inner = state.get("state")
    if kind == "MT19937" and not (
        isinstance(inner, dict) and inner.keys() == {"key", "pos"} and fits(inner["key"], np.ndarray)
        and inner["key"].shape == (N_TWISTER,) and fits(inner["pos"], int) and 0 <= inner["pos"] <= N_TWISTER
        and (inner["key"][1:].any() or int(inner["key"][0]) >> 31)      # else all that it returns are zeros
    ):
        raise ValueError("the state is none of a Mersenne twister")
    if kind.startswith("PCG64") and not (isinstance(inner, dict) and fits(inner.get("inc"), int) and inner["inc"] % 2):
        raise ValueError("the state is none of PCG64, whose increment is odd")
    buffer = state.get("buffer_pos", 0)         # of Philox: a place in a buffer, which NumPy does not check
    if not fits(buffer, int) or not 0 <= buffer <= 4:
        raise ValueError("the state is none of Philox")
    return BIT_GENERATORS[kind](0)


def _special(value):
    if value not in ("nan", "inf", "-inf"):
        raise ValueError(f"{value!r} is no number that JSON has not")
    return float(value)


def _scalar(value):
    if value.ndim:
        raise ValueError("a scalar has no dimensions")
    return value[()]


def _number(dtype, value):
    made = _dtype(dtype).type(value)
    if made.dtype.str != dtype or (made != value and value == value):
        raise ValueError(f"{value!r} is no number of {dtype}")
    return made


def _slice(bounds):
    if len(bounds) != 3 or not all(each is None or fits(each, int | str) for each in bounds):
        raise ValueError("a slice has three bounds, whole numbers, names or None")
    return slice(*bounds)


def _dtype(name):
    if not DTYPE.fullmatch(name):       # before NumPy reads it, which knows a language of its own
        raise ValueError(f"the dtype {shown(name)} is none that is stored")
    return np.dtype(name)
