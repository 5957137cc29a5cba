"""Functions of time that are constant between their steps."""

import numpy as np

from skrnn._data.numbers import as_numbers


class StepFunction:
    """A function of time with steps: y[i] from x[i] on, as scikit-survival has it.

    Parameters
    ----------
    x : (K + 1,) array
        Increasing times, the first one 0.
    y : (K + 1,) array
    """

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __call__(self, time):
        """Values at times, an array of their shape, or a float; a ValueError for times before x[0] or after x[-1]."""
        times = as_numbers(time, "time")
        inside = (times >= self.x[0]) & (times <= self.x[-1])
        if not inside.all():
            raise ValueError(
                f"time is {np.extract(~inside, times)[0]:g}, expected {self.x[0]:g} to {self.x[-1]:g}, for which the "
                "net has hazards"
            )
        values = self.y[np.searchsorted(self.x, times, side="right") - 1]
        return values if times.ndim else float(values)

    def __repr__(self):
        return f"StepFunction of {len(self.x)} steps from {self.x[0]:g} to {self.x[-1]:g}"
