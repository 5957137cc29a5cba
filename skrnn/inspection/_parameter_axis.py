"""Values of a parameter as positions on an axis."""

from numbers import Real
from typing import NamedTuple

import numpy as np

from skrnn._messages import shown
from skrnn.inspection._displays import in_figures, in_lines, set_log_scale

# Numbers whose median lies in the lower part of their range, of which the greatest is so many times the least, have a
# logarithmic axis
LOWER_PART, LOG_RATIO = 0.4, 4
# So many values have ticks of their own
MAX_TICKS = 10


class Axis(NamedTuple):
    """Values of a parameter as positions: numbers where they are, others at 0, 1, 2, ..."""

    positions: np.ndarray       # (n,) floats
    labels: list | None         # of the positions 0, 1, ..., if they are no numbers
    is_log: bool = False
    is_ordered: bool = True     # whether a line between positions makes sense

    @classmethod
    def of(cls, values):
        """The axis of n values."""
        if all(isinstance(value, Real) and not isinstance(value, bool | np.bool_) for value in values):
            numbers = np.array(values, dtype=float)
            distinct = np.unique(numbers)
            low, middle, high = distinct[0], np.median(distinct), distinct[-1]
            uneven = middle - low < LOWER_PART * (high - low) and high >= LOG_RATIO * low
            if not uneven or low > 0:
                return cls(numbers, None, bool(uneven))
            values = numbers.tolist()           # with a zero, at even distances
            order, ordered = [in_words(value) for value in distinct.tolist()], True
        else:
            ordered = False
            order = list(dict.fromkeys(map(in_words, values)))
        place = {label: float(i) for i, label in enumerate(order)}
        return cls(np.array([place[in_words(value)] for value in values]), order, is_ordered=ordered)

    def label(self, position):
        """What stands at a position."""
        return in_figures(position) if self.labels is None else self.labels[int(position)]

    def set_up(self, ax, name):
        """Give the x axis of axes its scale and ticks."""
        distinct = np.unique(self.positions)
        if self.is_log:
            set_log_scale(ax, "x")
        if self.labels is not None:
            ax.set_xticks(range(len(self.labels)), [in_lines(label, 14) for label in self.labels])
            ax.set_xlim(-0.5, len(self.labels) - 0.5)
        elif len(distinct) <= MAX_TICKS:
            ax.set_xticks(distinct, map(in_figures, distinct))
        ax.set_xlabel(name)


def in_words(value):
    """A value of a parameter, as axes and legends show it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return type(value).__name__ if hasattr(value, "get_params") else shown(value)
