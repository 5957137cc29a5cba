"""GradientFlowDisplay: how the gradient of the loss comes back through the steps."""

import numpy as np

from skrnn._messages import shown
from skrnn.inspection._arguments import check_index
from skrnn.inspection._displays import in_lines, marker_of, one_axes, pyplot, set_log_scale, styled, tidy
from skrnn.inspection._gradient_flow import gradient_flow
from skrnn.inspection._nets import net_of

# Letters of a line of the legend
LEGEND_WIDTH = 60


class GradientFlowDisplay:
    """How the gradient of the loss comes back through the steps, for each layer of a net.

    A line falls to the left where the gradient vanishes: what came so many steps before hardly changes the parameters,
    and is not learned. One that rises to the left explodes. The legend says by what it is multiplied from step to step
    back, on average. Where clipping makes updates smaller, a dotted line is what is left: all steps get smaller alike,
    so it tames what explodes, and brings nothing back that has vanished.

    It is best made by :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    norms : array of shape (n_layers, n_directions, n, T)
        As :func:`gradient_flow` returns them.
    scale : array of shape (n,), default=None
        What clipping multiplies the gradient of each sequence's batch by.
    grad_norm : array of shape (n_batches,), default=None
        Of the parameters, before clipping.
    max_grad_norm : float, default=None
        The limit.
    unit : str, default="step"
        What the horizontal axis counts.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of matplotlib Line2D
        By (layer, direction).
    bands_ : dict of matplotlib FillBetweenPolyCollection
        Likewise.
    clipped_ : dict of matplotlib Line2D
        Likewise, where some batches are clipped.
    rates_ : dict of float
        What the line is multiplied by from a step to the one before, by least squares of its logarithm.

    See Also
    --------
    gradient_flow : The numbers.
    TrainingDisplay : Norms of the gradient of the parameters, and clipping, by epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import GradientFlowDisplay
    >>> X = np.random.default_rng(0).normal(size=(64, 30, 1))
    >>> net = RNNRegressor(8, cell="rnn", pooling="last", random_state=0).partial_fit(X, X[:, -1, 0])
    >>> display = GradientFlowDisplay.from_estimator(net, X, X[:, -1, 0])
    >>> bool(display.rates_[0, 0] < 1)
    True
    """

    def __init__(self, *, norms, scale=None, grad_norm=None, max_grad_norm=None, unit="step"):
        self.norms = norms
        self.scale = scale
        self.grad_norm = grad_norm
        self.max_grad_norm = max_grad_norm
        self.unit = unit

    @classmethod
    def from_estimator(
        cls, estimator, X, y, *, state=None, step=None, ax=None, layers=None, statistic="median", quantiles=(0.1, 0.9),
        include_clipped=True, name=None, line_kw=None,
    ):
        """Display how the gradient of the loss of sequences comes back through a fitted net.

        Parameters
        ----------
        estimator, X, y, state, step
            As `net`, X and the others in :func:`gradient_flow`.
        ax, layers, statistic, quantiles, include_clipped, name, line_kw
            As in `plot`.

        Returns
        -------
        display : GradientFlowDisplay

        Raises
        ------
        ValueError, TypeError
            As in `gradient_flow` and `plot`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> from skrnn.inspection import GradientFlowDisplay
        >>> X = np.random.default_rng(0).normal(size=(64, 30, 1))
        >>> net = RNNClassifier((8, 8), random_state=0).partial_fit(X, X[:, 0, 0] > 0, classes=[False, True])
        >>> sorted(GradientFlowDisplay.from_estimator(net, X, X[:, 0, 0] > 0).lines_)
        [(0, 0), (1, 0)]
        """
        pyplot(f"{cls.__name__}.from_estimator")
        flow = gradient_flow(estimator, X, y, state=state, step=step)
        net = net_of(estimator)
        patches = net._get_fitted().model.network.patch is not None
        display = cls(
            norms=flow.norms, scale=flow.scale, grad_norm=flow.grad_norm, max_grad_norm=net.max_grad_norm,
            unit="patch" if patches else "step",
        )
        return display.plot(
            ax, layers=layers, statistic=statistic, quantiles=quantiles, include_clipped=include_clipped, name=name,
            line_kw=line_kw,
        )

    def plot(
        self, ax=None, *, layers=None, statistic="median", quantiles=(0.1, 0.9), include_clipped=True, name=None,
        line_kw=None,
    ):
        """Draw a line for each layer and direction.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Also that of another display, to compare nets: lines get further colors. None makes a figure.
        layers : list of int, default=None
            Which layers, also from the end if they are negative. None: all.
        statistic : {"median", "mean"}, default="median"
            What a line is, over the sequences that have so many steps.
        quantiles : pair of float, default=(0.1, 0.9)
            The band around a line is between these quantiles over sequences. None: no band.
        include_clipped : bool, default=True
            Whether to draw what clipping leaves, where it makes some batches smaller.
        name : str, default=None
            Of the net, for the legend.
        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the lines.

        Returns
        -------
        display : GradientFlowDisplay

        Raises
        ------
        ValueError, TypeError
            When there is no such layer or statistic; for quantiles that are none, or keywords in no dict.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        Two nets in one picture:

        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> from skrnn.inspection import GradientFlowDisplay
        >>> X = np.random.default_rng(0).normal(size=(64, 30, 1))
        >>> ax = None
        >>> for cell in ("rnn", "lstm"):
        ...     net = RNNRegressor(8, cell=cell, pooling="last", random_state=0).partial_fit(X, X[:, -1, 0])
        ...     ax = GradientFlowDisplay.from_estimator(net, X, X[:, -1, 0], ax=ax, name=cell).ax_
        >>> len(ax.get_legend().get_texts())
        2
        """
        pyplot(f"{type(self).__name__}.plot")
        from matplotlib.lines import Line2D

        norms = np.asarray(self.norms, dtype=float)
        layers = _chosen_layers(layers, len(norms))
        summary = _statistic(statistic)
        _check_quantiles(quantiles)
        style = styled(Line2D, {"linewidth": 1.5}, line_kw, "line_kw")
        self.ax_ = one_axes(ax, f"{type(self).__name__}.plot")
        self.figure_, self.lines_, self.bands_, self.clipped_, self.rates_ = self.ax_.figure, {}, {}, {}, {}
        for layer in layers:
            for direction in range(norms.shape[1]):
                of_sequences, label = norms[layer, direction], self._label(layer, direction, name, len(layers))
                self._draw((layer, direction), of_sequences, summary, quantiles, label, style)
                if include_clipped and self.scale is not None and np.any(np.asarray(self.scale) < 1):
                    self._draw_clipped((layer, direction), of_sequences, summary, label)
        last = "the last one" if norms.shape[1] == 1 else "the last one that a direction reads"
        tidy(self.ax_, x=f"{self.unit} (0: {last})", y="gradient in the state\n‖∂ℓ/∂s‖", integers="x")
        if any((line.get_ydata() > 0).any() for line in self.lines_.values()):
            set_log_scale(self.ax_, "y")
        handles, labels = self.ax_.get_legend_handles_labels()
        self.ax_.legend(handles, [in_lines(label, LEGEND_WIDTH) for label in labels], fontsize="small", framealpha=0.7,
                        edgecolor="none")
        return self

    def _label(self, layer, direction, name, n_layers):
        """What the legend calls a line, without its rate."""
        parts = [name] if name else []
        if n_layers > 1 or not name:
            parts.append(f"layer {layer}")
        if np.shape(self.norms)[1] > 1:
            parts.append("backwards" if direction else "forwards")
        return ", ".join(parts)

    def _draw(self, key, norms, summary, quantiles, label, style):
        """The line of norms (n, T), and its band."""
        steps, norms = _seen(norms)
        line = summary(norms, axis=0)
        self.rates_[key] = rate = _rate(steps, line)
        if not np.isnan(rate):
            label = f"{label}: ×{rate:.3g} per {self.unit} back"
        default = {"linestyle": "--" if key[1] else "-", "marker": marker_of(line, 1), "label": label}
        self.lines_[key], = self.ax_.plot(steps, line, **default | style)
        if quantiles is not None:
            low, high = np.nanquantile(norms, quantiles, axis=0)
            color = self.lines_[key].get_color()
            self.bands_[key] = self.ax_.fill_between(steps, low, high, color=color, alpha=0.15, linewidth=0)

    def _draw_clipped(self, key, norms, summary, label):
        """The line of what clipping leaves of norms (n, T)."""
        steps, norms = _seen(norms * np.asarray(self.scale)[:, np.newaxis])
        n_clipped, n = int(np.sum(np.asarray(self.grad_norm) > self.max_grad_norm)), len(self.grad_norm)
        self.clipped_[key], = self.ax_.plot(
            steps, summary(norms, axis=0), color=self.lines_[key].get_color(), linestyle=":",
            linewidth=self.lines_[key].get_linewidth(),
            label=f"{label}: clipped to max_grad_norm={self.max_grad_norm:g} ({n_clipped} of {n} batches)",
        )


def _seen(norms):
    """The steps, 0 for the last one, that some sequences have, and their norms."""
    seen = np.flatnonzero(~np.isnan(norms).all(axis=0))
    return seen - norms.shape[1] + 1, norms[:, seen]


def _chosen_layers(layers, n):
    if layers is None:
        return list(range(n))
    if np.ndim(layers) != 1 or not len(layers):
        raise ValueError(f"layers={shown(layers)}: expected a list of indices of layers")
    return [check_index(layer, n, "layers", "layers") for layer in layers]


def _statistic(name):
    if name not in ("median", "mean"):
        raise ValueError(f"statistic={shown(name)}: expected 'median' or 'mean'")
    return np.nanmedian if name == "median" else np.nanmean


def _check_quantiles(quantiles):
    if quantiles is None:
        return
    if np.shape(quantiles) != (2,) or not 0 <= quantiles[0] < quantiles[1] <= 1:
        raise ValueError(
            f"quantiles={shown(quantiles)}: expected two numbers from 0 to 1, the lower one first, or None"
        )


def _rate(steps, line):
    """What a line is multiplied by from a step to the one before: the slope of its logarithm, by least squares."""
    drawn = line > 0
    if drawn.sum() < 2:
        return np.nan
    return float(np.exp(-np.polyfit(steps[drawn], np.log(line[drawn]), 1)[0]))
