"""Objects as plain data and back: what pickles and model files hold of them.

Plain data are None, bools, numbers, strings, arrays that are not of objects, NumPy's generators of random numbers, and
lists, tuples and dicts of these whose keys are strings. An object of a class that is registered with `plain` becomes a
dict with the name of its class, ``{"class": "Units", "center": …, "scale": …}``, and nothing else is made of such a
dict: a class is looked up by its name in the registry, its fields have to be there by name, each of the right type.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from math import prod
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import numpy as np

from skrnn._messages import shown

CLASS = "class"                 # the key of the name of a class
DICT, OBJECTS = "dict", "objects"           # dicts with other keys than names, and arrays of objects
MAX_DEPTH = 64
MAX_NAME = 60                   # characters of a name in messages
AS_THEY_ARE = frozenset({NoneType, bool, int, float, str, np.random.RandomState, np.random.Generator})
CONTAINERS = frozenset({list, tuple, dict})


class PlainDataError(ValueError):
    """Plain data of which no object can be made, with the place in them."""


class Entry(NamedTuple):
    """What is known of a class that is registered.

    Parameters
    ----------
    cls : type
    types : dict of str to type
        Of its fields.
    required : frozenset of str
        The fields without a default.
    take : callable
        The fields of an object, a dict.
    make : callable
        The object of its fields, passed by name.
    """

    cls: type
    types: dict
    required: frozenset
    take: Callable
    make: Callable


REGISTRY: dict[str, Entry] = {}
NAMES: dict[type, str] = {}


def plain(cls=None, /, *, take=None, make=None, stored_as=None, **types):
    """Register a class, so that its objects can be stored.

    Of a dataclass and a NamedTuple the fields are known; ``@plain`` is enough.

    Parameters
    ----------
    cls : type
    take : callable, optional
        The fields of an object; None: its attributes of these names.
    make : callable or str, optional
        make(cls, ...) is the object of its fields, passed by name, or the name of such a class method. None: the
        constructor.
    stored_as : type, optional
        The registered class that takes the place of this one; pickles have the object itself.
    **types : type
        Of the fields of a class that does not declare them.
    """
    if cls is None:
        return partial(plain, take=take, make=make, stored_as=stored_as, **types)
    if stored_as is not None:
        NAMES[cls] = NAMES[stored_as]
        return cls
    types, required = (types, frozenset(types)) if types else declared_fields(cls)
    if cls.__name__ in REGISTRY:
        raise ValueError(f"{cls!r} and {REGISTRY[cls.__name__].cls!r} have the same name")
    REGISTRY[cls.__name__] = Entry(
        cls, types, required, take or partial(attributes_of, types),
        getattr(cls, make) if isinstance(make, str) else partial(make or constructed, cls),
    )
    NAMES[cls] = cls.__name__
    return cls


def declared_fields(cls):
    """The types of the fields of a dataclass or NamedTuple, by name, and which have no default."""
    if is_dataclass(cls):
        own = [field for field in fields(cls) if field.init]
        optional = {field.name for field in own if (field.default, field.default_factory) != (MISSING, MISSING)}
        types = {field.name: field.type for field in own}
    else:
        types, optional = cls.__annotations__, cls._field_defaults.keys()
    return types, frozenset(types.keys() - optional)


def has_stand_in(value):
    """Whether an object of another class takes the place of one when it is stored."""
    name = NAMES.get(type(value))
    return name is not None and REGISTRY[name].cls is not type(value)


def attributes_of(names, value):
    """Attributes of an object, by name."""
    return {name: getattr(value, name) for name in names}


def constructed(cls, **arguments):
    """An object made by its constructor."""
    return cls(**arguments)


def with_attributes(cls, **attributes):
    """An object of these attributes, made without its constructor."""
    made = cls.__new__(cls)
    vars(made).update(attributes)
    return made


def kinds_of(items):
    """The types of items: histories and vocabularies are long, and one look at these spares one at each item.

    What holds nothing but what stays as it is stays as it is, too: pickles have it once where it is in several places.
    """
    return set(map(type, items))


def as_it_is(value, where):
    """What becomes of objects of other packages in pickles: nothing."""
    return value


def inside(where, name):
    """The place of a part of this name, for messages: however long the names are, with a bounded length."""
    return f"{where}.{name[:MAX_NAME]}"


def to_plain(value, where="", other=as_it_is, depth=0):
    """Plain data of an object.

    Parameters
    ----------
    value : object
    where : str
        Where it was found, for messages.
    other : callable
        other(value, where) is what takes the place of an object of another package, or of a public one.
    depth : int
        How many others it is in.

    Raises
    ------
    TypeError
        For an object of skrnn whose class is neither public nor registered, and for what `from_plain` finds too deep.
    """
    if depth > MAX_DEPTH:
        raise TypeError(f"{where[:MAX_NAME]} … lies in more than {MAX_DEPTH} others, which is too deep to be stored")
    kind = type(value)
    if kind in AS_THEY_ARE or isinstance(value, np.generic):
        return value
    if kind is list or kind is tuple:
        if kinds_of(value) <= AS_THEY_ARE:
            return value
        return kind([to_plain(item, f"{where}[{i}]", other, depth + 1) for i, item in enumerate(value)])
    if kind is dict:
        return dict_to_plain(value, where, other, depth)
    if kind is np.ndarray or kind is np.memmap:
        if value.dtype != object:
            return np.asarray(value)
        items = to_plain(value.ravel().tolist(), where, other, depth + 1)
        return {CLASS: OBJECTS, "shape": list(value.shape), "items": items}
    if kind in NAMES:
        name = NAMES[kind]
        return {CLASS: name} | {
            field: to_plain(part, f"{where}.{field}", other, depth + 1)
            for field, part in REGISTRY[name].take(value).items()
        }
    if kind.__module__.startswith("skrnn.") and "._" in kind.__module__:     # which is not public
        raise TypeError(f"{where} is a {kind.__qualname__}, whose class cannot be stored: register it with @plain")
    return other(value, where)


def dict_to_plain(value, where, other, depth):
    """Plain data of a dict, whose keys need not be names."""
    has_names = CLASS not in value and kinds_of(value) <= {str}
    if has_names and kinds_of(value.values()) <= AS_THEY_ARE:
        return value
    values = [to_plain(item, f"{where}[{key!r}]", other, depth + 2) for key, item in value.items()]
    if has_names:
        return dict(zip(value, values, strict=True))
    keys = [to_plain(key, f"a key of {where}", other, depth + 2) for key in value]
    return {CLASS: DICT, "keys": keys, "values": values}


def from_plain(data, where="", others=lambda name: None, check=lambda made: None, depth=0):
    """The object that plain data describe.

    Parameters
    ----------
    data : plain data
        Anything else in them stays as it is.
    where : str
        Where they were found, for messages.
    others : callable, optional
        others(name) is the `Entry` of a class that is not registered, or None.
    check : callable
        Raises a ValueError if it does not agree with an object that was made.
    depth : int
        How many others these data are in.

    Raises
    ------
    PlainDataError
        For a class that is not known, for fields that lack, are too many or of another type, and what goes too deep.
    """
    if depth > MAX_DEPTH:
        raise PlainDataError(f"{where} lies in more than {MAX_DEPTH} others")
    kind = type(data)
    if kind is list or kind is tuple:
        if CONTAINERS.isdisjoint(kinds_of(data)):
            return data
        return kind([from_plain(item, f"{where}[{i}]", others, check, depth + 1) for i, item in enumerate(data)])
    if kind is not dict:
        return data
    parts = data
    if not CONTAINERS.isdisjoint(kinds_of(data.values())):
        parts = {
            name: part if name == CLASS else from_plain(part, inside(where, name), others, check, depth + 1)
            for name, part in data.items()
        }
    if CLASS not in data:
        return parts
    parts = {name: part for name, part in parts.items() if name != CLASS}
    name = data[CLASS]
    if not isinstance(name, str):
        raise PlainDataError(f"{where} is of a class that has no name")
    if name == DICT:
        return made_of(parts, {"keys": list, "values": list}, where, dict_of)
    if name == OBJECTS:
        return made_of(parts, {"shape": list, "items": list}, where, array_of)
    entry = REGISTRY.get(name) or others(name)
    if entry is None:
        raise PlainDataError(f"{where} is of the class {shown(name)}, which this version of skrnn does not know")
    return made_of(parts, entry.types, where, entry.make, entry.required, check)


def made_of(parts, types, where, make, required=None, check=lambda made: None):
    """What `make` makes of parts, passed by name, which are checked: their names and types; and then what was made."""
    absent = (types.keys() if required is None else required) - parts.keys()
    unknown = parts.keys() - types.keys()
    if absent or unknown:
        what = f"lacks {sorted(absent)}" if absent else f"has {shown(sorted(unknown))}, which nothing is known of"
        raise PlainDataError(f"{where} {what}")
    for name, part in parts.items():
        if not fits(part, types[name]):
            raise PlainDataError(f"{where}.{name} is a {type(part).__name__}, expected {in_words(types[name])}")
    try:
        made = make(**parts)
        check(made)
        return made
    except PlainDataError:
        raise
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise PlainDataError(f"{where} cannot be made: {error}") from error


def dict_of(keys, values):
    """A dict of its keys and values."""
    made = dict(zip(keys, values, strict=True))
    if len(made) < len(keys):
        raise ValueError("a key repeats")
    return made


def array_of(shape, items):
    """An array of objects."""
    if not all(fits(extent, int) and extent >= 0 for extent in shape) or prod(shape) != len(items):
        raise ValueError(f"{len(items)} objects are no array of shape {shape}")
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape)


def expect(true, what):
    """Raise a ValueError unless something is true of an object; `what` says what is not."""
    if not true:
        raise ValueError(what)


def fits(value, expected):
    """Whether a value is of a type, as annotations write types."""
    if expected in (object, Any):
        return True
    if expected is None:
        return value is None
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in arguments)
    if origin is tuple:
        return type(value) is tuple and _items_fit(value, arguments)
    if expected in (int, float):
        kind = Integral if expected is int else Real
        return isinstance(value, kind) and not isinstance(value, bool | np.bool_)
    if expected is bool:
        return isinstance(value, bool | np.bool_)
    return isinstance(value, expected)


def _items_fit(items, types):
    if types[-1] is Ellipsis:
        return all(fits(item, types[0]) for item in items)
    return len(items) == len(types) and all(map(fits, items, types))


def in_words(expected):
    """A type in words."""
    if expected is None:
        return "None"
    return getattr(expected, "__name__", str(expected)) if get_origin(expected) is None else str(expected)
