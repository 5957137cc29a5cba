"""RollingOrigin: the splitter over forecast origins."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from skrnn._parameters import check_parameters
from skrnn._sklearn import Interval

WHOLE = Interval(Integral, 1, None, closed="left")


class RollingOrigin(BaseCrossValidator):
    """Splits at forecast origins: each is forecast by what was known at it.

    The origin of a window is its last known step. The test windows of a split are those of one origin; the training
    windows are those whose whole future lies at or before it. It splits windows as ``TimeSeriesSplit`` splits rows, of
    which windows share most.

    Parameters
    ----------
    n_origins : int, default=5
        Number of origins, the last of which is the last one of the data.
    horizon : int, default=1
        Number of steps that are forecast from an origin.
    step : int, default=None
        Steps from one origin to the next. None: `horizon`, so that no step is forecast twice.
    gap : int, default=0
        Steps before an origin that no training window reaches, as where the truth is known late.
    max_train_size : int, default=None
        Number of origins to train on, at most, the latest ones, counted in steps. None: all.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.forecasting import RollingOrigin
    >>> for train, test in RollingOrigin(n_origins=2, horizon=3).split(np.zeros(10)):
    ...     print(train, test)
    [0 1 2 3] [6]
    [0 1 2 3 4 5 6] [9]
    """

    _parameter_constraints: ClassVar = {
        "n_origins": [WHOLE],
        "horizon": [WHOLE],
        "step": [WHOLE, None],
        "gap": [Interval(Integral, 0, None, closed="left")],
        "max_train_size": [WHOLE, None],
    }

    def __init__(self, n_origins=5, *, horizon=1, step=None, gap=0, max_train_size=None):
        self.n_origins = n_origins
        self.horizon = horizon
        self.step = step
        self.gap = gap
        self.max_train_size = max_train_size

    def origins(self, positions):
        """The origins to forecast from, in order.

        Parameters
        ----------
        positions : int array of shape (n,)
            The origin of each window, counted in steps.

        Returns
        -------
        origins : int array of shape (n_origins,)

        Raises
        ------
        ValueError
            If a parameter is out of its range, or there are no windows at one of the origins, or none to train on
            before the first.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import RollingOrigin
        >>> RollingOrigin(n_origins=3, horizon=24).origins(np.arange(100)).tolist()
        [51, 75, 99]
        """
        check_parameters(self._parameter_constraints, vars(self), type(self).__name__)
        step = self.step or self.horizon
        origins = np.max(positions) - step * np.arange(self.n_origins)[::-1]
        without = origins[~np.isin(origins, positions)]
        if len(without) or not len(self.training(positions, origins[0])):
            first, last = np.min(positions), np.max(positions)
            what = f"no window has the origin {without[0]}" if len(without) else "no window ends before the first"
            raise ValueError(
                f"n_origins={self.n_origins} origins, {step} steps apart, with horizon={self.horizon} and "
                f"gap={self.gap} do not fit into {len(positions)} windows with origins {first} to {last}: {what}; ask "
                "for fewer origins, or pass more of the past"
            )
        return origins

    def training(self, positions, origin):
        """The windows to train on for an origin.

        Parameters
        ----------
        positions : int array of shape (n,)
            The origin of each window, counted in steps.
        origin : int

        Returns
        -------
        train : int array
            Indices of the windows whose last future step lies at most at ``origin - gap``.

        Raises
        ------
        TypeError
            If the positions are no array.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.forecasting import RollingOrigin
        >>> RollingOrigin(horizon=2).training(np.arange(10), 5).tolist()
        [0, 1, 2, 3]
        """
        last = origin - self.horizon - self.gap
        known = positions <= last
        if self.max_train_size is not None:
            known &= positions > last - self.max_train_size
        return np.flatnonzero(known)

    def split(self, X, y=None, groups=None):
        """The windows to train on and to forecast, for each origin.

        Parameters
        ----------
        X : collection of n windows
        y : object, default=None
            Not used.
        groups : int array of shape (n,), default=None
            The origin of each window, counted in steps: the `origins` of windows. None: windows are in order, one at
            each step.

        Yields
        ------
        train, test : int arrays
            Indices of windows.

        Raises
        ------
        ValueError
            As `origins`.

        Returns
        -------
        splits : generator of `n_origins` pairs

        Examples
        --------
        Two series of four steps, each forecast from the last one:

        >>> import numpy as np
        >>> from skrnn.forecasting import RollingOrigin
        >>> origins = np.array([0, 1, 2, 3, 0, 1, 2, 3])
        >>> next(RollingOrigin(n_origins=1, horizon=2).split(origins, groups=origins))
        (array([0, 1, 4, 5]), array([3, 7]))
        """
        positions = np.arange(len(X)) if groups is None else np.asarray(groups)
        if positions.shape != (len(X),) or positions.dtype.kind not in "iu":
            raise ValueError(
                f"groups has shape {positions.shape} and dtype {positions.dtype}, expected the origin of each of the "
                f"{len(X)} windows as a whole number: the `origins` of windows"
            )
        for origin in self.origins(positions):
            yield self.training(positions, origin), np.flatnonzero(positions == origin)

    def get_n_splits(self, X=None, y=None, groups=None):
        """The number of origins.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not used.

        Returns
        -------
        int

        Raises
        ------
        TypeError
            Never.

        Examples
        --------
        >>> from skrnn.forecasting import RollingOrigin
        >>> RollingOrigin(28).get_n_splits()
        28
        """
        return self.n_origins
