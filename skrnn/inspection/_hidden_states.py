"""`hidden_states`: what the units of a net hold after every step, and HiddenStateDisplay, a picture of it."""

import numpy as np

from skrnn._data.sequences import SequenceIndex
from skrnn._messages import shown
from skrnn._network.scores import states_of
from skrnn.inspection._displays import check_index, columns_of_legend, marker_of, several_axes, styled, tidy
from skrnn.inspection._nets import net_and_inputs

# Lines of more features would not be told apart; so many units have their numbers at the axis
MAX_LINES, MAX_TICKS = 6, 16
# A line of so many steps has a dot for each; letters beside each other in the legend of the series
FEW, LETTERS = 1, 64


def hidden_states(net, X, *, layer=-1, state="h"):
    """The states of a net after every step of sequences.

    What `transform` returns of the last step, for all of them, and the cells of an LSTM. Of the top layer, h is what
    the head of the net reads.

    Parameters
    ----------
    net : estimator
        A fitted net, or a Pipeline, search or other estimator around one; X then goes through the steps before it.
    X : as the estimator takes it
        n sequences.
    layer : int or None, default=-1
        Which layer, from the input upwards, or from the end if it is negative; None: all, side by side.
    state : {"h", "c"}, default="h"
        The outputs of the units, or the memory of their cells, which the cells "lstm" and "skip_lstm" have.

    Returns
    -------
    states : array of shape (n, steps, units); for a collection an object array of n arrays (steps, units)
        In the form of X, as predictions for each step. With both directions first those of the one that reads forwards,
        then those of the other one, which has read the step and all after it. A net that reads patches has states after
        each of these. In place of padding stand the states of the last step.

    Raises
    ------
    ValueError, TypeError
        When X cannot be used, naming the sequence; when there is no such layer or state.
    NotFittedError
        Before `fit`.

    See Also
    --------
    HiddenStateDisplay : A picture of them.
    gradient_flow : The gradient of the loss in them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import hidden_states
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = RNNRegressor((4, 3), random_state=0).fit(X, X[:, 0, 0])
    >>> hidden_states(net, X[:5]).shape
    (5, 8, 3)
    >>> bool((hidden_states(net, X[:5], layer=None)[:, -1] == net.transform(X[:5])).all())
    True
    """
    net, X = net_and_inputs(net, X)
    states, index = _states(net, X, layer, state)[:2]
    return index.split(states)


def _states(net, X, layer, state):
    """States of all steps, one sequence after the other, the index that splits them, and the sequences."""
    model, reading, _ = net._get_fitted()
    network = model.network
    columns = columns_of(network, layer, state)
    sequences = reading.read(net, X, dtype=model.dtype)
    return states_of(network, model.theta, sequences, columns), index_of_steps(network, sequences), sequences


def check_state_name(network, state, others=()):
    """Raise a ValueError unless the cells of a network have a state of this name, or it is one of `others`."""
    names = list(network.layers[0].cell.states)
    if state not in (*names, *others):
        raise ValueError(f"state={shown(state)}: the cell {network.cell!r} has {' and '.join(map(repr, names))}")


def columns_of(network, layer, state):
    """The columns of a state that are these of a layer, or of all for None; an error for what there is not."""
    check_state_name(network, state)
    layers = range(len(network.layers))
    if layer is not None:
        layers = [check_index(layer, len(layers), "layer", "layers")]
    return np.concatenate([
        np.r_[columns] for name, columns in network.state_layout.items() if name[0] in layers and name[-1] == state
    ])


def index_of_steps(network, sequences):
    """The index that splits rows of the steps, or patches, of sequences in the form of X."""
    n_padded = sequences.n_padded
    if n_padded is not None:
        n_padded = int(network.n_patches(np.array([n_padded]))[0])
    return SequenceIndex(network.n_patches(sequences.lengths), sequences.kind, n_padded=n_padded)


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
        cls, estimator, X, *, sequence=0, layer=-1, state="h", order="number", series=True, feature_names=None, ax=None,
        im_kw=None, line_kw=None,
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
        series : bool, default=True
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
        if order not in ("number", "peak"):
            raise ValueError(f"order={shown(order)}: expected 'number' or 'peak'")
        net, X = net_and_inputs(estimator, X)
        states, index, sequences = _states(net, X, layer, state)
        sequence = check_index(sequence, len(sequences), "sequence", "sequences of X")
        start = int(index.starts[sequence])
        states = states[start : start + index.lengths[sequence]]
        units = np.arange(states.shape[1])
        if order == "peak":
            units = np.argsort(np.abs(states).argmax(axis=0), kind="stable")
        fitted = net._get_fitted()
        patches = fitted.model.network.patch is not None
        values, names = None, None
        if series and not patches:
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
            shown_ = np.unique(np.linspace(0, len(units) - 1, min(len(units), MAX_TICKS)).astype(int))
            self.ax_.set_yticks(shown_, [str(units[i]) for i in shown_])

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
