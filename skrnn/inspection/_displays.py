"""What displays share: matplotlib, imported when something is drawn; axes, colors, and the style of artists.

Nothing that pyplot shares between figures is changed. Colors are those of matplotlib's own cycle, which the user's
style may set.
"""

from datetime import date
from numbers import Real
from textwrap import fill
from types import NoneType

import numpy as np

from skrnn._messages import kind_of, shown

# The entries of the cycle that mean the same in all displays
TRAINING, VALIDATION = "C0", "C1"
PREDICTED = "C0"
# Letters of a line of the label beside a small panel, and of a legend
LABEL_WIDTH, LEGEND_WIDTH = 24, 26
# Letters of a legend's line that are as wide as a figure, and the space of a handle in letters
LETTERS_ABOVE, HANDLE = 80, 6
# So many powers of ten have their exponents at ticks
MANY_DECADES = 6
# The markers of groups, which tell them apart where colors do not
MARKERS = "osD^vP*X<>"
# Width and height of a figure with one panel, and the height of each further panel, in inches
WIDTH, HEIGHT, FURTHER_HEIGHT = 6.4, 3.6, 1.5


def pyplot(caller):
    """The module matplotlib.pyplot; an ImportError says how to install it, and for which method `caller`."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} needs the package matplotlib: pip install 'skrnn[examples]'") from error
    return plt


def one_axes(ax, caller, figsize=(WIDTH, HEIGHT)):
    """The axes to draw on: `ax`, or those of a new figure for None.

    Parameters
    ----------
    ax : matplotlib Axes or None
    caller : str
        The method, for messages.
    figsize : (float, float)
        Of a new figure, in inches.
    """
    plt = pyplot(caller)
    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    _check_axes(ax)
    return ax


def several_axes(ax, n_panels, caller, heights=None, *, share_x=True, figsize=None):
    """The axes of panels one below the other.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of n_panels Axes, or None
        A single Axes gives its place to the panels; None makes a figure.
    n_panels : int
    caller : str
        The method, for messages.
    heights : sequence of float, optional
        The ratio of the panels' heights; None: the first is twice as high as the others.
    share_x : bool, default=True
        Whether panels that are made have one x axis, whose ticks have labels at the bottom alone.
    figsize : (float, float), optional
        Of a new figure, in inches.

    Returns
    -------
    axes : (n_panels,) array of matplotlib Axes

    Raises
    ------
    ValueError
        For another number of axes.
    """
    plt = pyplot(caller)
    if ax is not None and np.ndim(ax):
        axes = np.array(ax, dtype=object).ravel()
        if len(axes) != n_panels:
            raise ValueError(f"ax has {len(axes)} axes, expected one or {n_panels}, as many as there are panels")
        for each in axes:
            _check_axes(each)
        return axes
    if n_panels == 1:
        return np.array([one_axes(ax, caller, figsize or (WIDTH, HEIGHT))], dtype=object)
    heights = [2] + [1] * (n_panels - 1) if heights is None else heights
    if ax is None:
        figsize = figsize or (WIDTH, HEIGHT + FURTHER_HEIGHT * (n_panels - 1))
        return np.array(plt.subplots(
            n_panels, 1, sharex=share_x, figsize=figsize, height_ratios=heights, layout="constrained"
        )[1], dtype=object)
    _check_axes(ax)
    return _panels_in(ax, n_panels, heights, share_x)


def _panels_in(ax, n_panels, heights, share_x):
    """Panels in the place of axes, which are not shown any more."""
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    place, figure = ax.get_subplotspec(), ax.figure
    if place is None:       # of axes that were placed by hand
        box = ax.get_position()
        grid = figure.add_gridspec(
            n_panels, 1, height_ratios=heights, left=box.x0, right=box.x1, bottom=box.y0, top=box.y1
        )
    else:
        grid = GridSpecFromSubplotSpec(n_panels, 1, place, height_ratios=heights)
    ax.set_axis_off()
    axes = np.empty(n_panels, dtype=object)
    for i in range(n_panels):
        axes[i] = figure.add_subplot(grid[i], sharex=axes[0] if share_x and i else None)
        if share_x and i < n_panels - 1:
            axes[i].tick_params(labelbottom=False)
    return axes


def _check_axes(ax):
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(f"ax is {kind_of(ax)}, expected matplotlib's Axes")


def styled(kind, defaults, given, name):
    """Keywords for matplotlib: those that the user has given for a kind of artists, and defaults for all others.

    Parameters
    ----------
    kind : class of matplotlib
        The artist, which knows the short names of its properties (``c``, ``lw``).
    defaults : dict
        By full names.
    given : dict or None
    name : str
        The argument that `given` is.

    Raises
    ------
    TypeError
        When it is no dict, or has a property by two names.
    """
    from matplotlib.cbook import normalize_kwargs

    if given is None:
        return dict(defaults)
    if not isinstance(given, dict):
        raise TypeError(f"{name}={shown(given)}: expected a dict of matplotlib's keywords")
    return defaults | normalize_kwargs(given, kind)


def tidy(ax, *, x=None, y=None, integers=""):
    """Give axes their labels, and whole numbers where `integers` names the axes "x" or "y" or both; leave out the box.
    """
    from matplotlib.ticker import MaxNLocator

    ax.spines[["top", "right"]].set_visible(False)
    if x is not None:
        ax.set_xlabel(x)
    if y is not None:
        ax.set_ylabel("\n".join(fill(line, LABEL_WIDTH, break_on_hyphens=False) for line in y.split("\n")))
    for which in integers:
        locator = MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
        getattr(ax, f"{which}axis").set_major_locator(locator)


def gray(ax, level):
    """A gray for something drawn on axes, from 0 as dark as ink to 1 like paper; on dark axes from white to black."""
    from matplotlib.colors import to_rgba

    *rgb, alpha = to_rgba(ax.get_facecolor())
    if not alpha:
        rgb = to_rgba(ax.figure.get_facecolor())[:3]
    return str(round(level if brightness(rgb) > 0.5 else 1 - level, 3))


def brightness(color):
    """How bright a color is to the eye, from 0 for black to 1 for white."""
    from matplotlib.colors import to_rgb

    return float(np.dot(to_rgb(color), [0.299, 0.587, 0.114]))


def reference_style(ax, linestyle="--"):
    """Keywords for a line that something is compared with."""
    return {"color": gray(ax, 0.4), "linestyle": linestyle, "linewidth": 1.0, "zorder": 1}


def marker_of(values, few):
    """The marker of a line: a dot for each of up to `few` values, and where one stands between gaps, which is no line.
    """
    known = np.isfinite(np.asarray(values, dtype=float))
    alone = known & ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    return "." if len(known) <= few or alone.any() else ""


def are_dates(times):
    """Whether times are dates of NumPy, or of Python and pandas, also with time zones."""
    times = np.asarray(times)
    return times.dtype.kind == "M" or (times.dtype.kind == "O" and len(times) > 0 and isinstance(times[0], date))


def use_dates(ax, times):
    """Give the x axis short labels of dates, in their time zone, where times are dates."""
    if are_dates(times):
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        zone = getattr(np.asarray(times)[0], "tzinfo", None)
        locator = AutoDateLocator(tz=zone)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))


def in_figures(value, position=None):
    """A number as ticks show it: 0.001, not a power of ten."""
    return f"{value:g}"


def set_log_scale(ax, which):
    """Make the axis `which`, "x" or "y", logarithmic, with plain numbers at its ticks, or powers of ten if many."""
    from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, LogLocator, NullLocator

    axis = getattr(ax, f"{which}axis")
    getattr(ax, f"set_{which}scale")("log")
    low, high = sorted(axis.get_view_interval())
    subs = (1, 2, 5) if high < 1e3 * low else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axis.set_minor_locator(NullLocator())
    many = high > 10.0**MANY_DECADES * low
    axis.set_major_formatter(LogFormatterSciNotation() if many else FuncFormatter(in_figures))


def colors_of(n, *, ordered=False):
    """n colors: matplotlib's cycle for what is told apart, twenty for more; a scale, viridis, for what has an order."""
    if n <= 10 and not ordered:
        return [f"C{i}" for i in range(n)]
    from matplotlib import colormaps

    if not ordered:
        return [colormaps["tab20"](i % 20) for i in range(n)]
    # without its lightest part, which is hard to see on white
    return [tuple(color) for color in colormaps["viridis"](np.linspace(0, 0.85, n))]


def legend_above(axes, is_new):
    """A legend of what is in all of several axes: above those of a new figure, else within the first.

    Parameters
    ----------
    axes : array of matplotlib Axes
    is_new : bool
        Whether the figure was made for these axes, with a layout that leaves room.

    Returns
    -------
    legend : matplotlib Legend
    """
    handles, labels = axes[0].get_legend_handles_labels()
    if not is_new:
        return axes[0].legend(handles, labels)
    ncols = columns_of_legend(labels, LETTERS_ABOVE)
    return axes[0].figure.legend(handles, labels, loc="outside upper left", ncols=ncols, frameon=False)


def columns_of_legend(labels, letters):
    """How many columns of a legend fit in the width of some letters."""
    lengths = [HANDLE + len(label) for label in labels]
    return len(labels) if sum(lengths) <= letters else max(1, letters // max(lengths))


def in_lines(label, width=LEGEND_WIDTH):
    """A label of a legend or a tick in lines of at most `width` letters."""
    return fill(str(label), width)


def check_reference(reference):
    """A dict of finite numbers by name, also for None; a TypeError or ValueError for what is none."""
    expected = "expected a dict of numbers by name, such as {'ridge': 0.98}"
    if not isinstance(reference, dict | NoneType):
        raise TypeError(f"reference={shown(reference)}: {expected}")
    for name, value in (reference or {}).items():
        if not isinstance(value, Real) or not np.isfinite(value):
            raise ValueError(f"reference[{name!r}]={shown(value)}: {expected}")
    return reference or {}


def with_reference(ax, reference):
    """Draw horizontal lines at the values of a dict by name, such as what another model scores.

    Returns
    -------
    lines : list of matplotlib Line2D
    """
    style = reference_style(ax)
    return [ax.axhline(value, label=f"{name} ({value:.3g})", **style) for name, value in reference.items()]
