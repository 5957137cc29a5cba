"""SearchDisplay: the scores of a search over its parameters."""


import numpy as np

from skrnn.inspection._displays import (
    FURTHER_HEIGHT,
    MARKERS,
    check_reference,
    colors_of,
    gray,
    in_figures,
    in_lines,
    pyplot,
    set_log_scale,
    several_axes,
    tidy,
    with_reference,
)
from skrnn.inspection._parameter_axis import Axis, in_words
from skrnn.inspection._search_results import (
    RESOURCES,
    Candidates,
    chosen_row,
    metric_of,
    name_of_score,
    results_of,
    short_name,
)

# Distance in points of the bars of one value; of as many colors there is a scale if few candidates have the same one,
# and of more in any case
DODGE, MIN_COLORS, MAX_COLORS = 4, 4, 8
# The greatest distance in points of a bar from its value
MAX_SHIFT = 7
WIDTH, HEIGHT = 7.0, 3.8


class SearchDisplay:
    """The scores of a search over one of its parameters, with the deviations over folds and the times of fits.

    A line for each value of a second parameter. Where further parameters were searched, the lines go through the best
    candidate at each value, the others are dots; candidates drawn at random, each with values of its own, are dots
    alone. Of a halving search a line is a round, in which candidates were fitted to so many samples, since scores of
    different rounds do not compare. A ring is around the candidate that the search chose, crosses are below those with
    a fold in which no score could be computed. It is best made by :meth:`from_estimator`. All parameters are stored as
    attributes.

    Parameters
    ----------
    x : list of length n_candidates
        Values of the parameter on the horizontal axis. Numbers are drawn as such, all else by name.
    scores : array of shape (n_candidates,)
        Means over folds, NaN where one failed.
    deviations : array of shape (n_candidates,), default=None
        Standard deviations over folds.
    fit_times : array of shape (n_candidates,), default=None
        Mean seconds of a fit.
    hue : list of length n_candidates, default=None
        Values of the parameter that has a line for each.
    best_index : int, default=None
        The candidate with the ring.
    greater_is_better : bool, default=True
        Whether the lines go through the greatest scores at each value, or the least ones.
    connected : bool, default=True
        Whether candidates at different values differ in nothing else, so that a line can connect them.
    x_name : str, default=None
        What `x` is.
    hue_name : str, default=None
        What `hue` is.
    score_name : str, default=None
        What `scores` are.
    n_folds : int, default=None
        Over how many folds.
    reference : dict of float, default=None
        Scores of something else by its name.

    Attributes
    ----------
    axes_ : array of matplotlib Axes
        That of the scores and, if they are drawn, that of the times.
    figure_ : matplotlib Figure
    lines_ : dict of matplotlib ErrorbarContainer
        The scores by the value of `hue`, as the legend has it; with `hue=None` and with a scale of colors by "".
    times_ : dict of matplotlib Line2D
        The same of the times.
    dots_ : matplotlib PathCollection or None
        Candidates beside the lines; with a scale of colors all of them.
    best_ : matplotlib Line2D or None
        The ring.
    failed_ : matplotlib Line2D or None
        The crosses.
    reference_ : list of matplotlib Line2D
    legend_ : matplotlib Legend or None

    See Also
    --------
    TrainingDisplay : The training of one net.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import SearchDisplay
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
    >>> grid = {"hidden_size": [2, 4], "cell": ["gru", "rnn"]}
    >>> search = GridSearchCV(RNNRegressor(random_state=0), grid, cv=2).fit(X, X[:, 0, 0])
    >>> display = SearchDisplay.from_estimator(search, reference={"the mean": 0.0})
    >>> display.x, display.hue
    ([2, 4, 2, 4], ['gru', 'gru', 'rnn', 'rnn'])
    >>> list(display.lines_)
    ['gru', 'rnn']
    """

    def __init__(
        self, *, x, scores, deviations=None, fit_times=None, hue=None, best_index=None, greater_is_better=True,
        connected=True, x_name=None, hue_name=None, score_name=None, n_folds=None, reference=None,
    ):
        self.x = x
        self.scores = scores
        self.deviations = deviations
        self.fit_times = fit_times
        self.hue = hue
        self.best_index = best_index
        self.greater_is_better = greater_is_better
        self.connected = connected
        self.x_name = x_name
        self.hue_name = hue_name
        self.score_name = score_name
        self.n_folds = n_folds
        self.reference = reference

    @classmethod
    def from_estimator(
        cls, search, *, x="auto", hue="auto", metric=None, negate_score=False, score_name=None, reference=None,
        include_times=True, ax=None,
    ):
        """Display a fitted search of scikit-learn: GridSearchCV, RandomizedSearchCV, or one that halves.

        Parameters
        ----------
        search : estimator
            What holds ``cv_results_``.
        x : str, default="auto"
            The parameter on the horizontal axis, by its whole name or its end, after any ``__`` in it: ``hidden_size``
            is that of the net in a Pipeline. "auto": `hidden_size` if it was searched, else the first number.
        hue : str or None, default="auto"
            The parameter that has a line for each of its values. Of a halving search it may be "n_resources"; with
            another one each candidate is drawn with its last score. None: no parameter. "auto": n_resources of a
            halving search, of others the second parameter if there are two.
        metric : str, default=None
            Of several metrics the one to draw. None: that by which the search chose.
        negate_score : bool, default=False
            Draw the negative of the scores: of ``neg_root_mean_squared_error`` the error itself.
        score_name : str, default=None
            What the vertical axis says. None: the name of the metric.
        reference : dict of float, default=None
            Scores of something else by its name, such as that of a linear model: horizontal lines.
        include_times, ax
            As in `plot`.

        Returns
        -------
        display : SearchDisplay

        Raises
        ------
        TypeError, ValueError
            When there are no results of a search, no such parameter or metric, or several of them; as in `plot`.
        NotFittedError
            Before `fit`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.model_selection import GridSearchCV
        >>> from sklearn.pipeline import make_pipeline
        >>> from skrnn import RNNRegressor
        >>> from skrnn.inspection import SearchDisplay
        >>> from skrnn.preprocessing import SequenceScaler
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> model = make_pipeline(SequenceScaler(), RNNRegressor(4, tol=0.01, random_state=0))
        >>> grid = {"rnnregressor__alpha": [0.01, 0.1, 1.0]}
        >>> search = GridSearchCV(model, grid, cv=2, scoring="neg_mean_squared_error").fit(X, X[:, 0, 0])
        >>> display = SearchDisplay.from_estimator(search, x="alpha", negate_score=True)
        >>> display.x_name, display.score_name
        ('alpha', 'mean squared error')
        """
        pyplot(f"{cls.__name__}.from_estimator")
        results = results_of(search)
        candidates = Candidates(results["params"], results.get(RESOURCES))
        x, hue = candidates.choose(x, hue)
        metric = metric_of(search, results, metric)
        rows = candidates.rows_with(x, hue)
        sign = -1 if negate_score else 1
        scores = sign * np.asarray(results[f"mean_test_{metric}"], dtype=float)
        display = cls(
            x=candidates.values(x, rows), scores=scores[rows],
            deviations=np.asarray(results[f"std_test_{metric}"], dtype=float)[rows],
            fit_times=np.asarray(results["mean_fit_time"], dtype=float)[rows],
            hue=None if hue is None else candidates.values(hue, rows),
            best_index=chosen_row(search, rows), greater_is_better=not negate_score,
            connected=candidates.differ_in_nothing_else(x, hue, rows), x_name=short_name(x, search),
            hue_name=None if hue is None else short_name(hue, search),
            score_name=score_name or name_of_score(search, metric, negate_score),
            n_folds=getattr(search, "n_splits_", None), reference=reference,
        )
        return display.plot(ax, include_times=include_times)

    def plot(self, ax=None, *, include_times=True):
        """Draw the scores, and the times below them.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each panel, default=None
            A single one gives its place to both panels; None makes a figure.
        include_times : bool, default=True
            Whether to draw the panel of times, if they are known.

        Returns
        -------
        display : SearchDisplay

        Raises
        ------
        ValueError, TypeError
            For another number of axes, or a `reference` that is no dict of numbers.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> from skrnn.inspection import SearchDisplay
        >>> display = SearchDisplay(x=[8, 16, 32], scores=[0.7, 0.8, 0.85], x_name="hidden_size").plot()
        >>> display.axes_[0].get_xlabel()
        'hidden_size'
        """
        reference = check_reference(self.reference)
        n_panels = 2 if include_times and self.fit_times is not None else 1
        figsize = WIDTH, HEIGHT + FURTHER_HEIGHT * (n_panels - 1)
        self.axes_ = several_axes(ax, n_panels, f"{type(self).__name__}.plot", figsize=figsize)
        self.figure_ = self.axes_[0].figure
        self.lines_, self.times_, self.dots_, self.best_, self.failed_ = {}, {}, None, None, None
        x, hue = Axis.of(self.x), None if self.hue is None else Axis.of(self.hue)
        scale_of_colors = hue is not None and hue.labels is None and self._is_scale(hue.positions)
        if scale_of_colors:
            self._draw_in_scale(x, hue)
        else:
            self._draw_in_groups(x, hue)
        self._draw_failed(x)
        self.reference_ = with_reference(self.axes_[0], reference)
        self._label(x)
        self._draw_legend(None if scale_of_colors else self.hue_name, outside=ax is None and not scale_of_colors)
        return self

    def _is_scale(self, hues):
        """Whether numbers are colors of a scale: where they are many, or nearly every candidate has its own."""
        n = len(np.unique(hues))
        return n > MAX_COLORS or n > max(MIN_COLORS, len(hues) / 2)

    def _draw_in_groups(self, x, hue):
        """A line or dots for each value of hue."""
        positions = np.zeros(len(x.positions)) if hue is None else hue.positions
        values = np.unique(positions)
        colors = colors_of(len(values), ordered=hue is not None and hue.labels is None and len(values) > 2)
        beside = []
        for i, (value, color) in enumerate(zip(values, colors, strict=True)):
            rows = np.flatnonzero((positions == value) & ~np.isnan(self.scores))
            if self.connected:
                best = self._best_at_each(x.positions, rows)
                beside.append((np.setdiff1d(rows, best), color))
                rows = best
            label = "" if hue is None else hue.label(value)
            middle = (len(values) - 1) / 2
            dodge = min(DODGE, MAX_SHIFT / (middle or 1))
            self._draw_group(x, rows, label, color, MARKERS[i % len(MARKERS)], dodge * (i - middle))
        rows = np.concatenate([rows for rows, _ in beside]) if beside else np.zeros(0, int)
        if len(rows):
            of_rows = [color for rows, color in beside for _ in rows]
            self.dots_ = self.axes_[0].scatter(
                x.positions[rows], self._at(self.scores, rows), s=9, c=of_rows, alpha=0.4, linewidths=0,
                label="other candidates",
            )

    def _draw_group(self, x, rows, label, color, marker, shift):
        """The candidates of one value of hue, moved to the right by some points."""
        ax = self.axes_[0]
        style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.3, "label": label or "_scores"}
        style["linestyle"] = "-" if self.connected and x.is_ordered else ""
        errors = None if self.deviations is None else self._at(self.deviations, rows)
        bars = ax.errorbar(
            x.positions[rows], self._at(self.scores, rows), errors, elinewidth=0.9, capsize=2, **style
        )
        self.lines_[label] = bars
        self._move(ax, shift, *bars.get_children())
        if len(self.axes_) > 1:
            below = self.axes_[1]
            self.times_[label] = below.plot(x.positions[rows], self._at(self.fit_times, rows), **style)[0]
            self._move(below, shift, self.times_[label])
        if self.best_index in rows:
            self._draw_best(x)
            self._move(ax, shift, self.best_)

    def _move(self, ax, points, *artists):
        """Move artists to the right, without a change of their data, from which axes have their limits."""
        from matplotlib.transforms import ScaledTranslation

        for artist in artists:
            artist.set_transform(ax.transData + ScaledTranslation(points / 72, 0, self.figure_.dpi_scale_trans))

    def _draw_in_scale(self, x, hue):
        """Dots for all candidates, in colors of a scale that stands beside the axes."""
        from matplotlib.colors import LogNorm, Normalize

        ax, rows = self.axes_[0], np.flatnonzero(~np.isnan(self.scores))
        errors = None if self.deviations is None else self._at(self.deviations, rows)
        self.lines_[""] = ax.errorbar(
            x.positions[rows], self._at(self.scores, rows), errors, color=gray(ax, 0.7), linestyle="", elinewidth=0.9,
            label="_scores", zorder=1,
        )
        style = {"c": hue.positions[rows], "cmap": "viridis", "norm": (LogNorm if hue.is_log else Normalize)()}
        self.dots_ = ax.scatter(x.positions[rows], self._at(self.scores, rows), s=25, zorder=2, **style)
        bar = self.figure_.colorbar(self.dots_, ax=list(self.axes_), label=self.hue_name, format=in_figures)
        bar.minorticks_off()
        if len(self.axes_) > 1:
            times = self._at(self.fit_times, rows)
            style = {"color": gray(ax, 0.5), "marker": ".", "linestyle": ""}
            self.times_[""] = self.axes_[1].plot(x.positions[rows], times, **style)[0]
        if self.best_index in rows:
            self._draw_best(x)

    def _draw_best(self, x):
        values = []
        for name, of_candidates in ((self.x_name, self.x), (self.hue_name, self.hue)):
            if of_candidates is not None:
                value = of_candidates[self.best_index]
                value = f"{value:.3g}" if isinstance(value, float) else in_words(value)
                values.append(f"{name}={value}" if name else value)
        score = self.scores[self.best_index]
        self.best_ = self.axes_[0].plot(
            [x.positions[self.best_index]], [score], marker="o", markersize=12, markerfacecolor="none",
            markeredgecolor=gray(self.axes_[0], 0), linestyle="", zorder=5,
            label=f"chosen: {score:.3g} ({', '.join(values)})",
        )[0]

    def _draw_failed(self, x):
        rows = np.flatnonzero(np.isnan(self.scores))
        if len(rows):
            ax = self.axes_[0]
            self.failed_ = ax.plot(
                x.positions[rows], np.full(len(rows), 0.02), transform=ax.get_xaxis_transform(), color="C3", marker="x",
                linestyle="", clip_on=False, label="a fold failed",
            )[0]

    def _label(self, x):
        """Labels and scales of the axes."""
        folds = "" if self.n_folds is None else f"\n(mean ± std of {self.n_folds} folds)"
        tidy(self.axes_[0], y=f"{self.score_name or 'score'}{folds}")
        x.set_up(self.axes_[-1], self.x_name)
        if len(self.axes_) > 1:
            tidy(self.axes_[1], y="time of a fit (s)")
            times = self._at(self.fit_times, ~np.isnan(self.scores))
            if len(times) and times.max() > 10 * times.min() > 0:
                set_log_scale(self.axes_[1], "y")
            else:
                self.axes_[1].set_ylim(bottom=0)

    def _draw_legend(self, title, outside):
        """The values of hue, then all else, beside the axes of a new figure."""
        groups = [bars for bars in self.lines_.values() if not bars.get_label().startswith("_")]
        beside = self.dots_ if groups or self.hue is None else None     # in a scale of colors it is all of them
        handles = [*groups, self.best_, beside, self.failed_, *self.reference_]
        handles = [handle for handle in handles if handle is not None]
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0} if outside else {}
        self.legend_ = self.axes_[0].legend(
            handles, [in_lines(handle.get_label()) for handle in handles], title=title,
            fontsize=None if outside else "small",
            frameon=not outside, alignment="left", **place,
        ) if handles else None

    def _best_at_each(self, positions, rows):
        """The best candidate of some rows at each position, by position."""
        scores = self._at(self.scores, rows) * (1 if self.greater_is_better else -1)
        order = rows[np.lexsort((-scores, positions[rows]))]
        return order[np.unique(positions[order], return_index=True)[1]]

    def _at(self, values, rows):
        return np.asarray(values, dtype=float)[rows]
