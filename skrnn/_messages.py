"""How messages show what somebody passed."""

from reprlib import Repr

import numpy as np

MAX_LENGTH = 150


class _Shown(Repr):
    """A `repr` without NumPy's types, which leaves out the middle of what is long."""

    def __init__(self):
        super().__init__()
        self.maxstring = self.maxother = 50

    def repr_instance(self, value, level):
        if isinstance(value, np.character):
            return self.repr1(value.item(), level)
        if isinstance(value, np.generic):
            return str(value)
        if isinstance(value, np.ndarray):
            return np.array2string(value, threshold=8, edgeitems=2, separator=", ", prefix="array(")
        return super().repr_instance(value, level)


_shown = _Shown()


def with_message(error, message):
    """A ValueError, or else a TypeError, that says more than an error of either type."""
    # Not of its own class, whose arguments may be others
    return (ValueError if isinstance(error, ValueError) else TypeError)(message)


def kind_of(value):
    """What messages say that an object is: its type, or that it is a class."""
    return f"class {value.__name__}" if isinstance(value, type) else type(value).__name__


def shown(value):
    """What messages show of a value that somebody passed: as Python writes it, on one line, `MAX_LENGTH` at most."""
    text = " ".join(_shown.repr(value).split())
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 3]}..."
