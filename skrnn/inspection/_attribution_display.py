"""AttributionDisplay: what each cell of a sequence contributes to what is predicted for it."""

import numpy as np

from skrnn._data.numbers import is_sized
from skrnn._data.with_static import WithStatic, n_rows
from skrnn._messages import kind_of, shown
from skrnn._sklearn import select
from skrnn.inspection._arguments import check_index
from skrnn.inspection._cells import Cells
from skrnn.inspection._displays import (
    are_dates,
    gray,
    in_lines,
    marker_of,
    pyplot,
    several_axes,
    styled,
    tidy,
    use_dates,
)
from skrnn.inspection._explanation import Explanation, inputs_of_baseline, is_sequences
from skrnn.inspection._gradients import input_gradients
from skrnn.inspection._integrated import integrated_gradients
from skrnn.inspection._nets import net_and_inputs
from skrnn.inspection._occlusion import occlusion

METHODS = {"integrated_gradients": integrated_gradients, "occlusion": occlusion, "input_gradients": input_gradients}
CAPTIONS = {"integrated_gradients": "attribution", "occlusion": "difference without it", "input_gradients": "gradient"}
# Of more features, or of longer words, there is a map of colors alone; up to so many steps are dots, too
MAX_PANELS, MAX_LETTERS, MAX_DOTS = 8, 3, 60
# Letters of words that have room in a panel, else each has a level, with so many names beside them; letters of a line
# of a feature's name
MAX_WORDS, MAX_LEVELS, NAME_WIDTH = 80, 6, 20
# Height in inches of a row of the map with its name, and of the highest map
ROW, MAX_MAP = 0.16, 7.0
# Negative and positive attributions: the ends of the map of colors
CMAP, NEGATIVE, POSITIVE = "RdBu_r", "#2166ac", "#b2182b"


class AttributionDisplay:
    """What each cell of one sequence contributes to what is predicted for it.

    A sequence of letters, such as DNA, is drawn as these letters, as high as their attributions, those that speak
    against the output below zero. Else there is a panel for each feature: its series over the colors of its
    attributions, red where the cell raises the output and blue where it lowers it; of more than 8 features a map, a row
    for each. A last panel has static features. It is best made by :meth:`from_estimator` or :meth:`from_attributions`.
    All parameters are stored as attributes.

    Parameters
    ----------
    attributions : array of shape (steps, features)
    values : array of shape (steps, features)
        What the steps are: numbers, or an object array of numbers and categories.
    feature_names : list of str, default=None
        None: x0, x1, ...
    symbols : sequence of str, default=None
        What each step is, in the place of its features, whose attributions are then added up.
    times : array of shape (steps,), default=None
        Numbers or dates. None: 0, 1, ...
    time_name : str, default="step"
    static_attributions : array of shape (n_static,), default=None
    static_values : array of shape (n_static,), default=None
        Of the static features, and what these are.
    static_names : list of str, default=None
    output : str, default="prediction"
        What is explained.
    value : float, default=None
        It, for this sequence.
    caption : str, default="attribution"
        What attributions are called.

    Attributes
    ----------
    axes_ : array of matplotlib Axes
        One for each panel.
    figure_ : matplotlib Figure
    lines_ : list of matplotlib Line2D
        The series of features that are numbers.
    images_ : list of matplotlib QuadMesh
        The colors, of each feature or of the map.
    letters_ : list of matplotlib PathPatch
        The letters, of steps whose attribution is not 0.
    bars_ : matplotlib BarContainer or None
        Of static features.
    colorbar_ : matplotlib Colorbar or None

    See Also
    --------
    integrated_gradients : The attributions.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import AttributionDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
    >>> display = AttributionDisplay.from_estimator(net, X, sequence=3)
    >>> display.attributions.shape, len(display.axes_)
    ((8, 2), 2)
    """

    def __init__(
        self, *, attributions, values, feature_names=None, symbols=None, times=None, time_name="step",
        static_attributions=None, static_values=None, static_names=None, output="prediction", value=None,
        caption="attribution",
    ):
        self.attributions = attributions
        self.values = values
        self.feature_names = feature_names
        self.symbols = symbols
        self.times = times
        self.time_name = time_name
        self.static_attributions = static_attributions
        self.static_values = static_values
        self.static_names = static_names
        self.output = output
        self.value = value
        self.caption = caption

    @classmethod
    def from_estimator(
        cls, estimator, X, *, sequence=0, method="integrated_gradients", target=None, step=None, feature_names=None,
        symbols=None, ax=None, line_kw=None, cmap=CMAP, **options
    ):
        """Explain and display one of the sequences.

        Parameters
        ----------
        estimator : estimator
            A fitted net, or a Pipeline or search around one; X then goes through the steps before it.
        X : as the estimator takes it
        sequence : int, default=0
            The index of the sequence among those that the net reads, such as the windows that a Pipeline makes of X.
        method : {"integrated_gradients", "occlusion", "input_gradients"}, default="integrated_gradients"
            The function that computes the attributions.
        target, step
            As in `integrated_gradients`.
        feature_names, symbols
            As in `from_attributions`. Where a Pipeline makes a step of each character of a text, these are the symbols.
        ax, line_kw, cmap
            As in `plot`.
        **options
            Of the method, such as `baseline`: a number, "mean", or sequences, one for all of X or for this one; `by` is
            "cell".

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        ValueError, TypeError
            As the method, when there is no such sequence, and as `plot`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> from skrnn.inspection import AttributionDisplay
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = RNNClassifier(4, random_state=0).fit(X, X[:, 0, 0] > 0)
        >>> AttributionDisplay.from_estimator(net, X, baseline="mean").output
        'probability of class True'
        """
        pyplot(f"{cls.__name__}.from_estimator")
        if not isinstance(method, str) or method not in METHODS:
            raise ValueError(f"method={shown(method)}: expected one of {', '.join(METHODS)}")
        if options.get("by", "cell") != "cell" or options.get("return_n_points"):
            raise ValueError(f"{shown(options)}: a number for each cell is drawn, leave by and return_n_points out")
        net, inputs = net_and_inputs(estimator, X)
        n = _n_sequences(inputs)
        number = check_index(sequence, n, "sequence", "sequences of X")
        one = select(inputs, np.array([number]))
        if is_sequences(options.get("baseline")):
            baseline = inputs_of_baseline(estimator, options["baseline"])
            of_each = _n_sequences(baseline, "baseline") == n
            options["baseline"] = select(baseline, np.array([number])) if of_each else baseline
        explanation = Explanation(net, one, target, step)
        attributions = METHODS[method](net, one, target=target, step=step, **options)
        reading = explanation.reading
        label, value = explanation.predicted()
        if symbols is None and net is not estimator:
            symbols = _characters(X, number, explanation.sequences.lengths[0])
        display = cls._of(
            attributions, explanation.X, 0, reading.n_step_features, feature_names, symbols, reading.step_names
        )
        display.output, display.value, display.caption = label, value, CAPTIONS[method]
        if reading.times is not None and reading.times.column is not None:
            column = reading.times.column
            display._take_times(reading.mixed.order[column] if reading.step_encodings else column)
        return display.plot(ax=ax, line_kw=line_kw, cmap=cmap)

    @classmethod
    def from_attributions(
        cls, attributions, X, *, sequence=0, feature_names=None, symbols=None, output="prediction", ax=None,
        line_kw=None, cmap=CMAP,
    ):
        """Display attributions that have been computed for sequences.

        Parameters
        ----------
        attributions : like X
            As `integrated_gradients`, `input_gradients` or `occlusion` return them.
        X : array, list, RaggedArray, WithStatic or data frame
            What they were computed for.
        sequence : int, default=0
            Which of them.
        feature_names : list of str, default=None
            Names of the features of steps; None: those of X, else x0, x1, ...
        symbols : sequence of str, default=None
            What each step of the sequence is, such as the letters of which X has codes.
        output : str, default="prediction"
            What is explained.
        ax, line_kw, cmap
            As in `plot`.

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        ValueError, TypeError
            When attributions and X do not go together, there is no such sequence, and as `plot`.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> from skrnn.inspection import AttributionDisplay, integrated_gradients
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = RNNClassifier(4, pooling="last", random_state=0).fit(X, X[:, 0, 0] > 0)
        >>> attributions = integrated_gradients(net, X)
        >>> display = AttributionDisplay.from_attributions(attributions, X, sequence=2, feature_names=["u", "v"])
        >>> bool((display.attributions == attributions[2]).all())
        True
        """
        pyplot(f"{cls.__name__}.from_attributions")
        n, n_attributions = _n_sequences(X), _n_sequences(attributions, "attributions")
        if n != n_attributions:
            raise ValueError(f"X has {n} sequences and attributions {n_attributions}: expected as many")
        number = check_index(sequence, n, "sequence", "sequences of X")
        display = cls._of(attributions, X, number, 1, feature_names, symbols)
        display.output = output
        return display.plot(ax=ax, line_kw=line_kw, cmap=cmap)

    @classmethod
    def _of(cls, attributions, X, number, n_features, feature_names, symbols, names=None):
        """The display of a sequence; tables have steps of `n_features`."""
        of_cells, cells = (Cells(each, number, n_features) for each in (attributions, X))
        if of_cells.steps.shape != cells.steps.shape:
            raise ValueError(
                f"attributions of sequence {number} have shape {of_cells.steps.shape}, but X {cells.steps.shape}: "
                "expected the same"
            )
        names = feature_names if feature_names is not None else cells.names or names
        if names is not None and len(names) != cells.steps.shape[1]:
            raise ValueError(f"feature_names has {len(names)} names, expected {cells.steps.shape[1]}")
        if symbols is not None and len(symbols) != len(cells.steps):
            raise ValueError(f"there are {len(symbols)} symbols, but the sequence has {len(cells.steps)} steps")
        return cls(
            attributions=of_cells.steps.astype(np.float64), values=cells.steps,
            feature_names=None if names is None else list(map(str, names)), symbols=symbols,
            static_attributions=None if of_cells.static is None else of_cells.static.astype(np.float64),
            static_values=cells.static, static_names=cells.static_names,
        )

    def _take_times(self, column):
        """Let a feature be the times; its panel is left out where it has no attributions."""
        self.times = self.values[:, column].astype(np.float64)
        names = _names(self.feature_names, self.values.shape[1])
        self.time_name = names[column] if self.feature_names is not None else "time"
        if not self.attributions[:, column].any():
            self.values, self.attributions = (
                np.delete(each, column, axis=1) for each in (self.values, self.attributions)
            )
            self.feature_names = names[:column] + names[column + 1 :]

    def plot(self, ax=None, *, line_kw=None, cmap=CMAP):
        """Draw the panels.

        Parameters
        ----------
        ax : matplotlib Axes, or one for each panel, default=None
            A single one gives its place to all panels; None makes a figure.
        line_kw : dict, default=None
            Keywords of matplotlib's `plot` for the lines of the series.
        cmap : str or matplotlib Colormap, default="RdBu_r"
            Of attributions; 0 is its middle.

        Returns
        -------
        display : AttributionDisplay

        Raises
        ------
        ValueError, TypeError
            For another number of axes, keywords in no dict.
        ImportError
            When matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.inspection import AttributionDisplay
        >>> display = AttributionDisplay(
        ...     attributions=np.array([[0.1], [-0.3], [0.2]]), values=np.zeros((3, 1)), symbols="ACG"
        ... )
        >>> len(display.plot().letters_)
        3
        """
        letters = self._letters()
        n = 1 if letters is not None or self.values.shape[1] > MAX_PANELS else self.values.shape[1]
        n_static = 0 if self.static_attributions is None else len(self.static_attributions)
        with_static = n_static > 0
        heights = [1.0] * n + [0.25 + 0.25 * n_static] * with_static
        height = 2.2 + 1.3 * (sum(heights) - 1) + 1.5 * (n == 1)
        if n < self.values.shape[1] and letters is None:
            height = max(height, min(ROW * self.values.shape[1], MAX_MAP))
        axes = several_axes(
            ax, n + with_static, "AttributionDisplay.plot", heights, share_x=False,
            figsize=(10 if letters is not None else 7, height),
        )
        self.axes_, self.figure_ = axes, axes[0].figure
        self.lines_, self.images_, self.letters_, self.bars_, self.colorbar_ = [], [], [], None, None
        if letters is not None:
            self._draw_letters(axes[0], letters)
        else:
            self._draw_steps(axes[:n], line_kw, cmap)
        if self.times is not None:
            use_dates(axes[n - 1], self.times)
        if with_static:
            self._draw_static(axes[-1])
        value = "" if self.value is None else f" = {self.value:.3g}"
        axes[0].set_title(self.output + value)
        return self

    def _letters(self):
        """The letter of each step, or None where steps are more than these."""
        if self.symbols is not None:
            return list(map(str, self.symbols))
        cells = self.values[:, 0].tolist() if self.values.shape[1] == 1 else [None]
        short = all(isinstance(cell, str) and 0 < len(cell) <= MAX_LETTERS for cell in cells)
        return cells if short else None

    def _x(self):
        """The places of the steps, and the ends of their colors."""
        from matplotlib.dates import date2num

        x = np.arange(len(self.values)) if self.times is None else np.asarray(self.times)
        x = date2num(x) if are_dates(x) else x.astype(np.float64)
        middles = 0.5 * (x[1:] + x[:-1])
        first, last = (middles[0] - x[0], x[-1] - middles[-1]) if len(middles) else (0.5, 0.5)
        return x, np.concatenate([[x[0] - (first or 0.5)], middles, [x[-1] + (last or 0.5)]])

    def _limit(self):
        """The greatest attribution of a step."""
        return float(np.abs(self.attributions).max(initial=0)) or 1.0

    def _draw_letters(self, ax, letters):
        from matplotlib.patches import PathPatch
        from matplotlib.textpath import TextPath
        from matplotlib.transforms import Affine2D

        heights, edges = self.attributions.sum(axis=1), self._x()[1]
        for letter, height, low, high in zip(letters, heights, edges[:-1], edges[1:], strict=True):
            if height == 0 or not letter.strip():
                continue
            path = TextPath((0, 0), letter, size=1)
            box, width = path.get_extents(), 0.9 * (high - low)
            place = Affine2D().translate(-box.x0, -box.y0).scale(width / box.width, abs(height) / box.height)
            place.translate(low + 0.05 * (high - low), min(height, 0))
            color = POSITIVE if height > 0 else NEGATIVE
            self.letters_.append(ax.add_patch(PathPatch(place.transform_path(path), color=color, linewidth=0)))
        ax.axhline(0, color=gray(ax, 0.4), linewidth=0.8)
        ax.set(xlim=edges[[0, -1]], ylim=_with_margin(min(heights.min(), 0), max(heights.max(), 0)))
        tidy(ax, x=self.time_name, y=self.caption, integers="x" if self.times is None else "")

    def _draw_steps(self, axes, line_kw, cmap):
        x, edges = self._x()
        limit = self._limit()
        names = _names(self.feature_names, self.values.shape[1])
        if len(axes) < self.values.shape[1]:
            self._draw_map(axes[0], edges, names, limit, cmap)
        else:
            for j, (ax, name) in enumerate(zip(axes, names, strict=True)):
                self._draw_feature(ax, j, x, edges, limit, cmap, line_kw)
                tidy(ax, integers="x" if self.times is None else "")
                ax.set_ylabel(in_lines(name, NAME_WIDTH), rotation=0, ha="right", va="center")
                if ax is not axes[-1]:
                    ax.sharex(axes[-1])
                    ax.tick_params(labelbottom=False)
        tidy(axes[-1], x=self.time_name)
        self.colorbar_ = self.figure_.colorbar(self.images_[0], ax=list(axes), label=self.caption)

    def _draw_map(self, ax, edges, names, limit, cmap):
        self.images_.append(ax.pcolormesh(
            edges, np.arange(len(names) + 1) - 0.5, self.attributions.T, cmap=cmap, vmin=-limit, vmax=limit
        ))
        height = self.figure_.get_figheight() * ax.get_position().height
        every = int(np.ceil(len(names) * ROW / height))
        ax.set_yticks(range(0, len(names), every), names[::every], fontsize="small" if len(names) * ROW > 2 else None)
        ax.invert_yaxis()
        tidy(ax, integers="x" if self.times is None else "")

    def _draw_feature(self, ax, j, x, edges, limit, cmap, line_kw):
        from matplotlib.lines import Line2D

        values = self.values[:, j]
        texts = any(isinstance(value, str) for value in values.tolist())
        words = list(map(str, values.tolist())) if texts else []
        written = texts and len(x) * (max(map(len, words)) + 1) <= MAX_WORDS
        levels = list(dict.fromkeys(words))
        if texts:
            numbers = np.zeros(len(x)) if written else np.array([levels.index(word) for word in words], dtype=float)
        else:
            numbers = values.astype(np.float64)
        known = numbers[np.isfinite(numbers)]
        low, high = _with_margin(known.min(), known.max()) if len(known) else (-1.0, 1.0)
        if texts:
            low, high = -0.5, numbers.max() + 0.5
        self.images_.append(ax.pcolormesh(
            edges, [low, high], self.attributions[np.newaxis, :, j], cmap=cmap, vmin=-limit, vmax=limit, alpha=0.9
        ))
        ax.set(xlim=edges[[0, -1]], ylim=(low, high))
        if written:
            for place, word in zip(x, words, strict=True):
                ax.text(place, 0, word, ha="center", va="center", fontsize="small", clip_on=True)
            ax.set_yticks([])
            return
        if texts:
            every = int(np.ceil(len(levels) / MAX_LEVELS))
            ax.set_yticks(range(0, len(levels), every), levels[::every], fontsize="small")
        style = {"color": "k", "linewidth": 1.0, "marker": marker_of(numbers, MAX_DOTS), "markersize": 4}
        if texts:
            style |= {"linestyle": "", "marker": "."}
        self.lines_ += ax.plot(x, numbers, **styled(Line2D, style, line_kw, "line_kw"))

    def _draw_static(self, ax):
        names = _names(self.static_names, len(self.static_attributions))
        if self.static_values is not None:
            names = [f"{name} = {_as_text(value)}" for name, value in zip(names, self.static_values, strict=True)]
        colors = [POSITIVE if each > 0 else NEGATIVE for each in self.static_attributions]
        self.bars_ = ax.barh(range(len(names)), self.static_attributions, color=colors, height=0.6)
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.axvline(0, color=gray(ax, 0.4), linewidth=0.8)
        tidy(ax, x=f"{self.caption} (static features)")


def _n_sequences(X, name="X"):
    sequences = X.sequences if isinstance(X, WithStatic) else X
    if not is_sized(sequences):
        raise TypeError(f"{name} is {kind_of(X)}, expected an array, a data frame, or a list of sequences")
    n = n_rows(X)
    if not n:
        raise ValueError(f"{name} is empty, expected at least one sequence")
    return n


def _characters(X, number, n_steps):
    """The text of which a Pipeline makes a sequence, if it has as many characters as that has steps; else None."""
    of_items = isinstance(X, list | tuple) or getattr(X, "ndim", 0) == 1
    text = next(iter(select(X, [number]))) if of_items and number < len(X) else None
    return text if isinstance(text, str) and len(text) == n_steps else None


def _names(names, n):
    return [f"x{j}" for j in range(n)] if names is None else list(map(str, names))


def _as_text(value):
    return str(value) if value is None or isinstance(value, str) else f"{value:.3g}"


def _with_margin(low, high):
    """Limits of an axis around numbers."""
    margin = 0.05 * (high - low) or 0.5
    return float(low - margin), float(high + margin)
