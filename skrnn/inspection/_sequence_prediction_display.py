"""SequencePredictionDisplay: what is predicted along a series, beside what came."""

from datetime import timedelta

import numpy as np

from skrnn._messages import shown
from skrnn.inspection._arguments import check_index
from skrnn.inspection._displays import (
    PREDICTED,
    WIDTH,
    brightness,
    colors_of,
    gray,
    in_lines,
    legend_above,
    marker_of,
    pyplot,
    reference_style,
    several_axes,
    styled,
    tidy,
    use_dates,
)
from skrnn.inspection._predicted_series import as_labels, as_numbers, as_probabilities, series_of

X_NAMES = {"steps": "step", "outputs": "steps ahead", "sequences": "sequence"}
# Up to so many steps each is a dot, too; an interval of fewer is not said to hold a share of them; panels of a figure
FEW, MIN_FOR_SHARE, MAX_PANELS = 60, 10, 6
PARTS = ("y_pred", "y_true", "lower", "upper", "history")
# Heights of figures in inches, the least ones of the panels of several outputs and of classes; of the strip of labels
# in parts of the panel below it; of a line of a legend, and the width of a letter
HEIGHT, HEIGHT_OF_OUTPUT, HEIGHT_OF_CLASSES, STRIP = 2.6, 1.7, 3.6, 0.22
HEIGHT_OF_LINE, WIDTH_OF_LETTER = 0.21, 0.085
# Of more classes those that are likeliest or true at no step are gray
MAX_COLORS = 20
# Width in points of the interval of a single step
SINGLE = 8


class SequencePredictionDisplay:
    """What is predicted along a series, beside what came: numbers with their interval, or probabilities of classes.

    The series may be the steps of one sequence, of a net with ``return_sequences=True``; the outputs of one sequence,
    which are the steps ahead of a forecast; or sequences in their order, such as windows. Numbers have a panel for each
    output. Of classes one panel has their probabilities, and a strip above it the true and the most probable ones in
    their colors. It is best made by :meth:`from_estimator` or :meth:`from_predictions`. All parameters are stored as
    attributes.

    Parameters
    ----------
    y_pred : array of shape (steps,) or (steps, outputs); with `classes` (steps, n_classes)
        Numbers, or the probabilities of classes.
    y_true : array of shape (steps,) or (steps, outputs), default=None
        What came: NaN, and of labels None, where it is not known.
    lower : array like y_pred, default=None
        The lower end of the interval.
    upper : array like y_pred, default=None
        The upper end.
    interval_name : str, default=None
        What the interval is, for the legend.
    classes : array of shape (n_classes,), default=None
        The labels that `y_pred` has probabilities of. None: it has numbers.
    history : array of shape (past,) or (past, outputs), default=None
        What came before the first step.
    times : array of shape (past + steps,), default=None
        Numbers or dates for the horizontal axis, those of the history first. None: steps are counted from 0, and
        where there is a history from 1.
    x_name : str, default=None
        What the horizontal axis says.
    output_names : list of str, default=None
        What the vertical axes say.

    Attributes
    ----------
    axes_ : array of matplotlib Axes
    figure_ : matplotlib Figure
    lines_ : dict of list of matplotlib Line2D
        Of numbers "predicted", "observed", "history" where they are known, with a line for each panel; of classes the
        probabilities by label, in lists of one.
    intervals_ : list of matplotlib PolyCollection
    strip_ : matplotlib QuadMesh or None
        Of classes the strip: a row with the numbers of the most probable ones and, if they are known, one with those of
        the true ones.
    legend_ : matplotlib Legend

    See Also
    --------
    TrainingDisplay : How the net was trained.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import SequencePredictionDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 1))
    >>> y = X[:, :, 0].cumsum(axis=1)
    >>> net = RNNRegressor(8, return_sequences=True, loss="gaussian", random_state=0).fit(X, y)
    >>> display = SequencePredictionDisplay.from_estimator(net, X, y, sequence=3)
    >>> bool((display.y_pred == net.predict(X)[3]).all()), display.interval_name
    (True, '90 % interval')
    """

    def __init__(
        self, *, y_pred, y_true=None, lower=None, upper=None, interval_name=None, classes=None, history=None,
        times=None, x_name=None, output_names=None,
    ):
        self.y_pred = y_pred
        self.y_true = y_true
        self.lower = lower
        self.upper = upper
        self.interval_name = interval_name
        self.classes = classes
        self.history = history
        self.times = times
        self.x_name = x_name
        self.output_names = output_names

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, sequence=0, along="auto", outputs=None, interval="auto", history=None, times=None,
        x_name=None, output_names=None, ax=None, line_kw=None, interval_kw=None,
    ):
        """Display what an estimator predicts for X.

        Parameters
        ----------
        estimator : estimator
            Fitted: a net, a Pipeline, a search; with one prediction for each sequence any estimator. Of one with
            ``predict_proba`` the probabilities are displayed.
        X : as the estimator takes it
        y : as in its `fit`, default=None
            What came.
        sequence : int, default=0
            Which sequence of X, unless the display goes along all of them.
        along : {"auto", "steps", "outputs", "sequences"}, default="auto"
            What the horizontal axis is: the steps of one sequence, its outputs, which are steps ahead, or the sequences
            of X in their order. "auto": steps of a net with ``return_sequences=True``, outputs of a
            ConformalForecaster, sequences where each has one prediction.
        outputs : list of int, default=None
            Which of several outputs to draw, that are no steps ahead. None: all.
        interval : float, "auto" or None, default="auto"
            The share of the targets that the interval is to hold, from quantiles of the prediction. "auto": what lies
            between the outer quantiles of an estimator that predicts them; 0.9 of a net that predicts a distribution;
            of others none. None: none.
        history, times, x_name, output_names
            As the parameters of the class; `times` are those of what is drawn.
        ax, line_kw, interval_kw
            As in `plot`.

        Returns
        -------
        display : SequencePredictionDisplay

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used or goes with no such estimator; as `predict`, and as in `plot`.
        NotFittedError
            Before `fit`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> from skrnn import RNNRegressor
        >>> from skrnn.datasets import load_sunspots
        >>> from skrnn.inspection import SequencePredictionDisplay
        >>> from skrnn.preprocessing import SlidingWindow
        >>> from sklearn.pipeline import make_pipeline
        >>> sunspots = load_sunspots()
        >>> X, y = sunspots.activity[:-1, None], sunspots.activity[1:]
        >>> model = make_pipeline(SlidingWindow(12, context=True), RNNRegressor(loss="gaussian", random_state=0))
        >>> model = model.fit(X[:220], y[:220])
        >>> display = SequencePredictionDisplay.from_estimator(
        ...     model, X[220:], y[220:], times=sunspots.year[221:], x_name="year", output_names=["sunspots"])
        >>> display.axes_[0].get_xlabel(), display.y_pred.shape
        ('year', (88,))
        """
        pyplot(f"{cls.__name__}.from_estimator")
        series = series_of(estimator, X, y, sequence, along, interval)
        display = cls(
            y_pred=series.y_pred, y_true=series.y_true, lower=series.lower, upper=series.upper,
            interval_name=series.interval_name, classes=series.classes, history=history, times=times,
            x_name=X_NAMES[series.along] if x_name is None and times is None else x_name,
            output_names=series.output_names if output_names is None else output_names,
        )
        return display.plot(ax, outputs=outputs, line_kw=line_kw, interval_kw=interval_kw)

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, sequence=None, interval=None, interval_name="interval", classes=None, outputs=None,
        history=None, times=None, x_name="step", output_names=None, ax=None, line_kw=None, interval_kw=None,
    ):
        """Display predictions that are there already.

        Parameters
        ----------
        y_true : array-like of shape (steps,) or (steps, outputs), or None
            What came, or the labels.
        y_pred : array-like of shape (steps,) or (steps, outputs); with `classes` (steps, n_classes)
            Numbers, or probabilities.
        sequence : int, default=None
            Which one, where y_true, y_pred and the interval are collections of sequences.
        interval : (lower, upper), default=None
            Its ends, each like y_pred.
        interval_name : str, default="interval"
            What it is, for the legend.
        classes : array-like of shape (n_classes,), default=None
            The labels that `y_pred` has probabilities of.
        outputs, history, times, x_name, output_names
            As in `from_estimator`.
        ax, line_kw, interval_kw
            As in `plot`.

        Returns
        -------
        display : SequencePredictionDisplay

        Raises
        ------
        ValueError, TypeError
            When shapes do not go together; as in `plot`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> from skrnn.inspection import SequencePredictionDisplay
        >>> display = SequencePredictionDisplay.from_predictions([1.0, 2.0, 4.0], [1.5, 2.0, 3.0], x_name="day")
        >>> display.lines_["predicted"][0].get_ydata().tolist()
        [1.5, 2.0, 3.0]
        """
        pyplot(f"{cls.__name__}.from_predictions")
        lower, upper = (None, None) if interval is None else interval
        parts = [y_true, y_pred, lower, upper]
        if sequence is not None:
            i = check_index(sequence, len(y_pred), "sequence", "sequences of y_pred")
            parts = [None if part is None else part[i] for part in parts]
        reads = [as_numbers] * 4 if classes is None else [as_labels, as_probabilities, as_numbers, as_numbers]
        y_true, y_pred, lower, upper = (
            None if part is None else read(part) for read, part in zip(reads, parts, strict=True)
        )
        display = cls(
            y_pred=y_pred, y_true=y_true, lower=lower, upper=upper,
            interval_name=None if lower is None else interval_name, classes=classes, history=history, times=times,
            x_name=x_name, output_names=output_names,
        )
        return display.plot(ax, outputs=outputs, line_kw=line_kw, interval_kw=interval_kw)

    def plot(self, ax=None, *, outputs=None, line_kw=None, interval_kw=None):
        """Draw the series.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each panel, default=None
            A single one gives its place to all panels; None makes a figure.
        outputs : list of int, default=None
            Which of several outputs to draw. None: all.
        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the predictions.
        interval_kw : dict, default=None
            Keywords of `fill_between` for the interval.

        Returns
        -------
        display : SequencePredictionDisplay

        Raises
        ------
        ValueError, TypeError
            When shapes do not go together, there is no such output, or there are more than six panels; for another
            number of axes.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.inspection import SequencePredictionDisplay
        >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
        >>> display = SequencePredictionDisplay(y_pred=p, y_true=["rest", "walk", "walk"], classes=["rest", "walk"])
        >>> display.plot().strip_.get_array().tolist()      # the most probable ones, then the true ones
        [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
        """
        pyplot(f"{type(self).__name__}.plot")
        self.lines_, self.intervals_, self.strip_ = {}, [], None
        x, n_past = self._positions()
        if self.classes is not None:
            self._draw_classes(ax, x, outputs, line_kw)
        else:
            self._draw_numbers(ax, x, n_past, outputs, line_kw, interval_kw)
        self.figure_ = self.axes_[0].figure
        whole = self.times is None or np.issubdtype(np.asarray(self.times).dtype, np.integer)
        tidy(self.axes_[-1], x=self.x_name, integers="x" * whole)
        use_dates(self.axes_[-1], x)
        return self

    def _positions(self):
        """Where the steps are on the horizontal axis, those of the history first, and how many these are."""
        n, n_past = len(self.y_pred), 0 if self.history is None else len(self.history)
        for name in ("y_true", "lower", "upper"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise ValueError(f"{name} has {len(values)} steps, expected {n} as y_pred")
        if self.times is None:
            return np.arange(n + n_past) - (n_past - 1 if n_past else 0), n_past
        times = np.asarray(self.times)
        if times.shape != (n + n_past,):
            raise ValueError(f"times has shape {times.shape}, expected ({n + n_past},), those of the history first")
        return times, n_past

    def _draw_numbers(self, ax, x, n_past, outputs, line_kw, interval_kw):
        """A panel for each output."""
        from matplotlib.collections import PolyCollection
        from matplotlib.lines import Line2D

        parts = {name: _columns(getattr(self, name), name) for name in PARTS}
        chosen = self._outputs(parts, outputs)
        each = HEIGHT if len(chosen) < 3 else HEIGHT_OF_OUTPUT
        caller, figsize = f"{type(self).__name__}.plot", (WIDTH, 1.0 + each * len(chosen))
        self.axes_ = several_axes(ax, len(chosen), caller, [1] * len(chosen), figsize=figsize)
        line_kw = styled(Line2D, {"color": PREDICTED, "linewidth": 1.3}, line_kw, "line_kw")
        of_interval = {"color": PREDICTED, "alpha": 0.2, "linewidth": 0 if len(self.y_pred) > 1 else SINGLE}
        of_interval["label"] = self._label_of_interval(parts, chosen)
        interval_kw = styled(PolyCollection, of_interval, interval_kw, "interval_kw")
        for of_output, q in zip(self.axes_, chosen, strict=True):
            columns = {name: None if values is None else values[:, q] for name, values in parts.items()}
            self._draw_output(of_output, x, n_past, columns, line_kw, interval_kw)
            name = None if self.output_names is None else self.output_names[q]
            if name is None:
                name = f"output {q}" if len(chosen) > 1 else "y"
            tidy(of_output, y=name)
        self.legend_ = legend_above(self.axes_, ax is None)

    def _draw_output(self, ax, x, n_past, columns, line_kw, interval_kw):
        ahead = x[n_past:]
        given = [columns[name] for name in ("history", "y_true") if columns[name] is not None]
        markers = {marker_of(values, FEW - (len(x) - len(values))) for values in given}
        observed = {"color": gray(ax, 0.25), "linewidth": 0.9, "marker": max(markers, default="")}
        if n_past:
            label = "observed" if columns["y_true"] is None else "_history"
            self._add("history", ax.plot(x[:n_past], columns["history"], label=label, **observed))
            ax.axvline(x[n_past - 1], **reference_style(ax, ":"))
        if columns["y_true"] is not None:
            values, places = columns["y_true"], ahead
            if n_past:
                values, places = np.append(columns["history"][-1], values), x[n_past - 1 :]
            self._add("observed", ax.plot(places, values, label="observed", **observed))
        predicted = {"label": "predicted", "marker": marker_of(columns["y_pred"], FEW - n_past)}
        self._add("predicted", ax.plot(ahead, columns["y_pred"], **predicted | line_kw))
        if columns["lower"] is not None and columns["upper"] is not None:
            self.intervals_.append(ax.fill_between(ahead, columns["lower"], columns["upper"], **interval_kw))

    def _add(self, name, lines):
        self.lines_.setdefault(name, []).extend(lines)

    def _label_of_interval(self, parts, chosen):
        """The name of the interval, with the share of the targets that lie in it."""
        name = self.interval_name or "interval"
        if parts["y_true"] is None or parts["lower"] is None or parts["upper"] is None:
            return name
        lower, true, upper = (parts[each][:, chosen] for each in ("lower", "y_true", "upper"))
        known = ~np.isnan(true)
        if known.sum() < MIN_FOR_SHARE:
            return name
        return f"{name} (holds {100 * ((lower <= true) & (true <= upper))[known].mean():.0f} %)"

    def _outputs(self, parts, outputs):
        """The numbers of the outputs to draw."""
        n = parts["y_pred"].shape[1]
        for name, values in parts.items():
            if values is not None and values.shape[1] != n:
                raise ValueError(f"{name} has {values.shape[1]} outputs, expected {n} as y_pred")
        if self.output_names is not None and len(self.output_names) != n:
            raise ValueError(f"output_names={shown(self.output_names)}: expected {n} names, one for each output")
        if outputs is not None:
            if np.ndim(outputs) != 1 or not len(outputs):
                raise ValueError(f"outputs={shown(outputs)}: expected a list of indices")
            return [check_index(q, n, "outputs", "outputs") for q in np.asarray(outputs).tolist()]
        if n > MAX_PANELS:
            raise ValueError(f"there are {n} outputs, more than {MAX_PANELS} panels: choose by outputs=[0, 1]")
        return list(range(n))

    def _draw_classes(self, ax, x, outputs, line_kw):
        """A panel with the probabilities, and a strip of labels above it."""
        from matplotlib.lines import Line2D

        if outputs is not None or self.history is not None:
            raise ValueError("outputs and history are for numbers, and these are probabilities of classes")
        n = len(self.classes)
        if np.shape(self.y_pred) != (len(x), n):
            raise ValueError(f"y_pred has shape {np.shape(self.y_pred)}, expected ({len(x)}, {n}), one column a class")
        rows, named = self._rows_of_strip()
        labels = {k: in_lines(self.classes[k]) for k in named}
        height = max(HEIGHT_OF_CLASSES, 1.7 + HEIGHT_OF_LINE * sum(label.count("\n") + 1 for label in labels.values()))
        caller, heights = f"{type(self).__name__}.plot", [STRIP, height / HEIGHT_OF_CLASSES]
        self.axes_ = strip, panel = several_axes(ax, 2, caller, heights, figsize=(WIDTH, height))
        colors = dict.fromkeys(range(n), gray(panel, 0.75)) | dict(zip(named, colors_of(len(named)), strict=True))
        self._draw_strip(strip, x, rows, list(colors.values()))
        for k in [1] if n == 2 else range(n):
            style = styled(Line2D, {"color": colors[k], "linewidth": 1.3}, line_kw, "line_kw")
            style = {"label": str(self.classes[k]), "marker": marker_of(self.y_pred[:, k], 1)} | style
            self.lines_[self.classes[k]] = panel.plot(x, self.y_pred[:, k], zorder=2.1 if k in named else 2, **style)
        panel.set_ylim(-0.02, 1.02)
        tidy(panel, y=f"probability of class {self.classes[1]}" if n == 2 else "probability")
        self._draw_legend(panel, colors, labels, beside=ax is None)

    def _rows_of_strip(self):
        """The places among the classes of the most probable labels and of the true ones, and those that have a color.
        """
        rows = [np.argmax(self.y_pred, axis=1).astype(float)]
        if self.y_true is not None:
            rows.append(_places(self.y_true, self.classes))
        if len(self.classes) <= MAX_COLORS:
            return rows, list(range(len(self.classes)))
        places = np.unique(rows)
        return rows, places[~np.isnan(places)].astype(int).tolist()

    def _draw_strip(self, ax, x, rows, colors):
        """The most probable labels and the true ones, in their colors; the latter are left white where not known."""
        from matplotlib.colors import ListedColormap

        edges = _edges(x)
        self.strip_ = ax.pcolormesh(
            edges, np.arange(len(rows) + 1), np.ma.masked_invalid(rows), cmap=ListedColormap(colors), vmin=-0.5,
            vmax=len(colors) - 0.5,
        )
        ax.set_yticks(np.arange(len(rows)) + 0.5, ["predicted", "true"][: len(rows)])
        ax.tick_params(left=False, bottom=False)
        ax.spines[:].set_visible(False)
        self._write_in_strip(ax, np.asarray(ax.convert_xunits(edges), dtype=float), rows, colors)

    def _write_in_strip(self, ax, edges, rows, colors):
        """The names of labels where one that stays for long leaves room for its own."""
        inch = ax.figure.get_figwidth() * ax.get_position().width / (edges[-1] - edges[0])
        for i, row in enumerate(rows):
            starts = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
            for start, stop in zip(starts, np.append(starts[1:], len(row)), strict=True):
                name = "" if np.isnan(row[start]) else str(self.classes[int(row[start])])
                if name and inch * abs(edges[stop] - edges[start]) > WIDTH_OF_LETTER * (len(name) + 1):
                    color = "black" if brightness(colors[int(row[start])]) > 0.5 else "white"
                    place = (edges[start] + edges[stop]) / 2, i + 0.45
                    ax.text(*place, name, color=color, fontsize="small", ha="center", va="center", clip_on=True)

    def _draw_legend(self, panel, colors, labels, beside):
        """The colors of the classes: beside the panel of a figure that was made for it, else in the panel."""
        from matplotlib.patches import Patch

        patches = [Patch(color=colors[k], label=label) for k, label in labels.items()]
        if len(labels) < len(self.classes):
            patches.append(Patch(color=colors[min(set(colors) - set(labels))], label="others"))
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0, "frameon": False}
        self.legend_ = panel.legend(handles=patches, **place if beside else {})


def _columns(values, name):
    """Values (steps,) or (steps, outputs) as an array (steps, outputs); None stays."""
    if values is None:
        return None
    values = np.asarray(values, dtype=float)
    if values.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {values.shape}, expected (steps,) or (steps, outputs)")
    return values[:, np.newaxis] if values.ndim == 1 else values


def _places(labels, classes):
    """The place of each label among the classes, NaN where it is not known: None, NaN, or -1 if that is no class."""
    places = {_plain(label): float(k) for k, label in enumerate(classes)}
    found = np.empty(len(labels))
    for i, label in enumerate(map(_plain, labels)):
        unknown = label is None or label == -1 or label != label
        if label not in places and not unknown:
            raise ValueError(
                f"y_true[{i}] is {label!r}, none of the classes {shown(list(places))}: pass None to leave it out"
            )
        found[i] = places.get(label, np.nan)
    return found


def _plain(label):
    """A label as Python's type."""
    return label.item() if isinstance(label, np.generic) else label


def _edges(x):
    """The borders (n + 1,) between n places, which may be dates."""
    x = np.asarray(x)
    if len(x) == 1:
        half = timedelta(hours=12) if x.dtype.kind in "MO" else 0.5
        return np.array([x[0] - half, x[0] + half])
    half = np.diff(x) / 2
    return np.concatenate([x[:1] - half[:1], x[:-1] + half, x[-1:] + half[-1:]])
