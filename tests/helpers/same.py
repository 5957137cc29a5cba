"""Whether two objects are the same to the bit, in all that they hold."""

from collections import UserList

import numpy as np

# What objects only keep to be computed once, or of calls
CACHES = {"_engines", "_codes", "beginnings", "tokens", "_stop_words_id", "seconds"}


def assert_same(a, b, where="it"):
    """Assert that two objects have the same type and the same parts, naming the first that differs."""
    if isinstance(a, UserList):     # of scikit-learn 1.6, which is stored as a list
        a = a.data
    assert type(a) is type(b), where
    if isinstance(a, np.ndarray):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        if a.dtype == object:
            assert_same(a.tolist(), b.tolist(), where)
        else:
            assert a.tobytes() == b.tobytes(), where
    elif isinstance(a, dict):
        assert_same(list(a), list(b), f"the keys of {where}")
        for key in a:
            assert_same(a[key], b[key], f"{where}[{key!r}]")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            assert_same(x, y, f"{where}[{i}]")
    elif isinstance(a, np.random.RandomState):
        assert_same(a.get_state(legacy=False), b.get_state(legacy=False), where)
    elif isinstance(a, np.random.Generator):
        assert_same(a.bit_generator.state, b.bit_generator.state, where)
    elif isinstance(a, float | np.floating):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), where
    elif hasattr(a, "__dict__") and not callable(a):
        assert_same(parts_of(a), parts_of(b), where)
    else:
        assert a == b, where


def parts_of(value):
    """The attributes of an object, in the order of their names, without caches."""
    left_out = CACHES | getattr(type(value), "_CACHED", frozenset())
    return {name: part for name, part in sorted(vars(value).items()) if name not in left_out}
