"""HiddenStateDisplay: the states of a layer over the steps of a sequence."""

import numpy as np

from skrnn._messages import shown
from skrnn.inspection._arguments import check_index
from skrnn.inspection._displays import columns_of_legend, marker_of, pyplot, several_axes, styled, tidy
from skrnn.inspection._hidden_states import states_and_index
from skrnn.inspection._nets import net_and_inputs

# Lines of more features would not be told apart; so many units have their numbers at the axis
MAX_LINES, MAX_TICKS = 6, 16
# A line of so many steps has a dot for each; letters beside each other in the legend of the series
FEW, LETTERS = 1, 64


class HiddenStateDisplay:
    """The states of a layer over the steps of a sequence, below the numbers that the net read.

    It is best made by :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    states : array of shape (steps, units)
    units : array of shape (units,), default=None
        The numbers of the units; None: 0, 1, 2, ...
    series : array of shape (T, features), default=None
        What the net read of the sequence, as many steps as there are states. None: nothing is drawn above the states.
    feature_names : list of str, default=None
        Of the features of the series.
    state : str, default="h"
        What the color stands for.
    unit : str, default="step"
        What the horizontal axis counts.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the states.
    axes_ : array of matplotlib Axes
        All: that of the series first, if there is one.
    figure_ : matplotlib Figure
    image_ : matplotlib AxesImage
    colorbar_ : matplotlib Colorbar
    lines_ : list of matplotlib Line2D
        Of the series.

    See Also
    --------
    hidden_states : The states as arrays.
    GradientFlowDisplay : The gradient of the loss in them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNClassifier
    >>> from skrnn.inspection import HiddenStateDisplay, hidden_states
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> net = RNNClassifier(4, random_state=0).fit(X, X[:, 0, 0] > 0)
    >>> display = HiddenStateDisplay.from_estimator(net, X, sequence=3)
    >>> display.image_.get_array().shape             # units and steps
    (4, 8)
    >>> bool((display.states == hidden_states(net, X)[3]).all())
    True
    """

    def __init__(self, *, states, units=None, series=None, feature_names=None, state="h", unit="step"):
        self.states = states
        self.units = units
        self.series = series
        self.feature_names = feature_names
        self.state = state
        self.unit = unit

    @classmethod
    def from_estimator(
        cls, estimator, X, *, sequence=0, layer=-1, state="h", order="number", include_series=True, feature_names=None,
        ax=None, im_kw=None, line_kw=None,
    ):
        """Display the states of a fitted net over a sequence.

        Parameters
        ----------
        estimator : estimator
            As in :func:`hidden_states`.
        X : as the estimator takes it
        sequence : int, default=0
            Which of them.
        layer : int or None, default=-1
            Which layer, or None for all, one above the other.
        state : {"h", "c"}, default="h"
            Outputs of units, or the memory of the cells of an LSTM.
        order : {"number", "peak"}, default="number"
            Which units are next to each other: those with the numbers that they have in the net, or those that are
            farthest from 0 at about the same step, which shows which ones hold what for how long.
        include_series : bool, default=True
            Whether to draw the numbers that the net read, up to six features and not in patches, above the states.
        feature_names : list of str, default=None
            Of the series, where X has none.
        ax, im_kw, line_kw
            As in `plot`.

        Returns
        -------
        display : HiddenStateDisplay

        Raises
        ------
        ValueError, TypeError
            As in `hidden_states` and `plot`; when there is no such sequence or order, or another number of names.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> from skrnn.inspection import HiddenStateDisplay
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> net = RNNRegressor(4, cell="lstm", random_state=0).fit(X, X[:, 0, 0])
        >>> HiddenStateDisplay.from_estimator(net, X, state="c", order="peak").ax_.get_ylabel()
        'unit'
        """
        pyplot(f"{cls.__name__}.from_estimator")
        if order not in ("number", "peak"):
            raise ValueError(f"order={shown(order)}: expected 'number' or 'peak'")
        net, X = net_and_inputs(estimator, X)
        states, index, sequences = states_and_index(net, X, layer, state)
        sequence = check_index(sequence, len(sequences), "sequence", "sequences of X")
        start = int(index.starts[sequence])
        states = states[start : start + index.lengths[sequence]]
        units = np.arange(states.shape[1])
        if order == "peak":
            units = np.argsort(np.abs(states).argmax(axis=0), kind="stable")
        fitted = net._get_fitted()
        patches = fitted.model.network.patch is not None
        values, names = None, None
        if include_series and not patches:
            values, names = _series_of(fitted.reading, sequences, sequence, feature_names)
        display = cls(
            states=states, units=units, series=values, feature_names=names, state=state,
            unit="patch" if patches else "step",
        )
        return display.plot(ax, im_kw=im_kw, line_kw=line_kw)

    def plot(self, ax=None, *, im_kw=None, line_kw=None):
        """Draw the states.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each panel, default=None
            A single one gives its place to both panels; None makes a figure.
        im_kw : dict, default=None
            Keywords of matplotlib's `imshow`. By default colors are those of RdBu_r, white at 0, up to the greatest
            distance from it.
        line_kw : dict, default=None
            Keywords of `plot` for the lines of the series.

        Returns
        -------
        display : HiddenStateDisplay

        Raises
        ------
        ValueError, TypeError
            For another number of axes, keywords in no dict.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.inspection import HiddenStateDisplay
        >>> display = HiddenStateDisplay(states=np.tanh(np.arange(12.0).reshape(4, 3) - 6))
        >>> display.plot(im_kw={"cmap": "PuOr"}).axes_.shape
        (1,)
        """
        n_panels = 1 + (self.series is not None)
        self.axes_ = several_axes(ax, n_panels, f"{type(self).__name__}.plot", heights=[1, 2][-n_panels:])
        self.ax_, self.figure_, self.lines_ = self.axes_[-1], self.axes_[0].figure, []
        self._draw_states(im_kw)
        if self.series is not None:
            self._draw_series(self.axes_[0], line_kw)
        return self

    def _draw_states(self, im_kw):
        from matplotlib.image import AxesImage

        states = np.asarray(self.states, dtype=float)
        units = np.arange(states.shape[1]) if self.units is None else np.asarray(self.units)
        greatest = np.abs(states).max() or 1.0
        style = {
            "cmap": "RdBu_r", "vmin": -greatest, "vmax": greatest, "aspect": "auto", "interpolation": "nearest",
            "origin": "upper",
        }
        self.image_ = self.ax_.imshow(states[:, units].T, **styled(AxesImage, style, im_kw, "im_kw"))
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=self.ax_, label=f"state {self.state}")
        in_order = (units == np.arange(len(units))).all()
        tidy(self.ax_, x=self.unit, y="unit", integers="xy" if in_order else "x")
        if not in_order:
            places = np.unique(np.linspace(0, len(units) - 1, min(len(units), MAX_TICKS)).astype(int))
            self.ax_.set_yticks(places, [str(units[i]) for i in places])

    def _draw_series(self, ax, line_kw):
        from matplotlib.lines import Line2D

        series = np.asarray(self.series, dtype=float)
        names = self.feature_names or [f"feature {j}" for j in range(series.shape[1])]
        style = styled(Line2D, {"linewidth": 1.2}, line_kw, "line_kw")
        self.lines_ = [
            ax.plot(values, **{"label": name, "marker": marker_of(values, FEW)} | style)[0]
            for name, values in zip(names, series.T, strict=True)
        ]
        tidy(ax, y=names[0] if len(names) == 1 else "input")
        if len(names) > 1:
            place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderpad": 0}
            ax.legend(frameon=False, fontsize="small", ncols=columns_of_legend(names, LETTERS), **place)


def _series_of(reading, sequences, i, names):
    """The numbers of sequence i that the network reads, and their names; None where there are none, or many."""
    if not 1 <= reading.n_numbers <= MAX_LINES or reading.n_categories:
        return None, None
    if names is None:
        names = [name if isinstance(name, str) else f"feature {name}" for name in reading.number_labels]
    if len(names) != reading.n_numbers:
        raise ValueError(
            f"feature_names has {len(names)} names, but the net reads {reading.n_numbers} numbers of a step"
        )
    loaded, (i,) = sequences.load(np.array([i]))
    rows = slice(loaded.starts[i], loaded.starts[i] + loaded.lengths[i])
    return loaded.values[rows, : reading.n_numbers], list(names)
