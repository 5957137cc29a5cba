"""Displays of data that are long, short, many, named at length, with gaps, and on dark paper, can be read."""

import datetime
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.dates import ConciseDateFormatter
from matplotlib.ticker import LogFormatterSciNotation

from skrnn.inspection import (
    AttributionDisplay,
    GradientFlowDisplay,
    HiddenStateDisplay,
    SearchDisplay,
    SequencePredictionDisplay,
    StepConfusionDisplay,
    TrainingDisplay,
)
from skrnn.inspection._displays import brightness, columns_of_legend, gray, marker_of

rng = np.random.default_rng(0)
LONG = "a name that says what was measured, where and in which unit"
P = rng.dirichlet(np.full(30, 0.05), 40)
WORDS = np.array(["walking", "up", "down"] * 30, dtype=object).reshape(90, 1)
ZONE = datetime.timezone(datetime.timedelta(hours=1))
HOURS = [datetime.datetime(2024, 1, 1, tzinfo=ZONE) + datetime.timedelta(hours=i) for i in range(40)]

DISPLAYS = {
    "many classes": lambda: SequencePredictionDisplay(y_pred=P[:25], classes=[f"class number {k}" for k in range(30)]),
    "classes with long names": lambda: SequencePredictionDisplay(y_pred=P[:, :3], classes=[LONG, LONG + "!", "c"]),
    "times with a zone": lambda: SequencePredictionDisplay(y_pred=P[:, 0], times=HOURS),
    "ten lines": lambda: SearchDisplay(
        x=[4, 8] * 10, scores=rng.random(20), deviations=np.full(20, 0.1), hue=sorted("abcdefghij" * 2),
        best_index=3, x_name="hidden_size", hue_name="cell"),
    "features with long names": lambda: HiddenStateDisplay(
        states=P[:, :4], series=P[:, :6], feature_names=[f"{LONG[:30]} {j}" for j in range(6)]),
    "two hundred features": lambda: AttributionDisplay(
        attributions=rng.normal(size=(4, 200)), values=np.zeros((4, 200))),
    "many words": lambda: AttributionDisplay(attributions=rng.normal(size=(90, 1)), values=WORDS),
    "labels with long names": lambda: StepConfusionDisplay(
        confusion_matrix=10 * np.eye(6, dtype=int), display_labels=[f"{LONG[:40]} {k}" for k in range(6)]),
    "many labels": lambda: StepConfusionDisplay(
        confusion_matrix=10 * np.eye(31, dtype=int), display_labels=[f"label {k}" for k in range(31)]),
}


def panels_of(display):
    return list(getattr(display, "axes_", [display.figure_.axes[0]]))


def boxes_of(texts):
    return [text.get_window_extent() for text in texts if text.get_visible() and text.get_text()]


@pytest.mark.parametrize("name", [
    "many classes", "classes with long names", "features with long names", "two hundred features",
    "labels with long names",
])
def test_nothing_overlaps_or_is_cut(name):
    """A layout that does not come out would be a warning, which is an error."""
    display = DISPLAYS[name]().plot()
    figure = display.figure_
    figure.draw_without_rendering()
    width, height = figure.bbox.size
    for ax in panels_of(display):
        assert ax.get_window_extent().width > 0.25 * width
        across = sorted(boxes_of(ax.get_xticklabels()), key=lambda box: box.x0)
        assert all(left.x1 <= right.x0 + 2 for left, right in pairwise(across))
        upwards = sorted(boxes_of(ax.get_yticklabels()), key=lambda box: box.y0)
        assert all(below.y1 <= above.y0 + 2 for below, above in pairwise(upwards))
    for legend in [ax.get_legend() for ax in figure.axes] + figure.legends:
        if legend is not None:
            box = legend.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= width
            assert box.y0 >= 0
            assert box.y1 <= height
    assert height < 13 * figure.dpi


def test_bars_beside_their_value_stay_within():
    """However many lines there are."""
    display = DISPLAYS["ten lines"]().plot()
    display.figure_.draw_without_rendering()
    ends = display.axes_[0].get_window_extent()
    lines = [bars.lines[0] for bars in display.lines_.values()]
    for line in lines:
        places = line.get_transform().transform(line.get_xydata())[:, 0]
        assert (places >= ends.x0).all()
        assert (places <= ends.x1).all()
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 10
    assert len({line.get_marker() for line in lines}) == 10


@pytest.mark.parametrize(("display", "axis"), [
    (TrainingDisplay(loss=[1.0]), "xaxis"),
    (SequencePredictionDisplay(y_pred=[1.0], y_true=[2.0], lower=[0.0], upper=[3.0]), "xaxis"),
    (SequencePredictionDisplay(y_pred=np.array([[0.1, 0.9, 0.0]]), classes=list("abc")), "xaxis"),
    (HiddenStateDisplay(states=np.ones((1, 2)), series=[[1.0]]), "xaxis"),
    (HiddenStateDisplay(states=np.ones((9, 1))), "yaxis"),
    (GradientFlowDisplay(norms=np.ones((1, 1, 2, 1))), "xaxis"),
    (AttributionDisplay(attributions=np.ones((1, 2)), values=np.ones((1, 2))), "xaxis"),
])
def test_a_single_step(display, axis):
    """Is to be seen, at a whole number."""
    panels = panels_of(display.plot())
    display.figure_.draw_without_rendering()
    axis = getattr(panels[-1], axis)
    within = [tick for tick in axis.get_majorticklocs() if np.ptp([*axis.get_view_interval(), tick]) <= 1]
    assert within in ([0], [1])
    for ax in panels:
        assert all(line.get_marker() == "." for line in ax.lines if len(line.get_xydata()) == 1)
    if getattr(display, "intervals_", None):
        assert display.intervals_[0].get_linewidth() > 1
    if isinstance(display, GradientFlowDisplay):
        assert display.lines_[0, 0].get_label() == "layer 0"


@pytest.mark.parametrize(("values", "few", "marker"), [
    ([1, 2, 3], 3, "."), ([1, 2, 3], 2, ""), ([1, np.nan, 3, 4], 2, "."), ([1, 2, np.nan, 3, 4], 2, ""),
    ([1, 2, np.nan, 3, np.nan], 2, "."), ([1], 0, "."),
])
def test_what_stands_between_gaps_is_a_dot(values, few, marker):
    assert marker_of(values, few) == marker


@pytest.mark.parametrize("name", ["observed", "history"])
def test_gaps_of_a_series(name):
    series = np.arange(100.0)
    series[[40, 42]] = np.nan
    parts = {"y_pred": np.ones(100), "y_true": np.ones(100), "history": np.ones(100)}
    display = SequencePredictionDisplay(**parts | {{"observed": "y_true"}.get(name, name): series}).plot()
    assert display.lines_[name][0].get_marker() == "."
    assert display.lines_["predicted"][0].get_marker() == ""


@pytest.mark.parametrize("name", ["times with a zone", "ten lines"])
def test_on_dark_paper(name):
    """All that is gray or black on light paper is light on dark paper."""
    with plt.style.context("dark_background"):
        display = DISPLAYS[name]()
        display.reference = {"another": 0.5}
        display.y_true = display.history = None
        for line in panels_of(display.plot())[0].lines:
            for color in (line.get_color(), line.get_markeredgecolor()):
                assert brightness(to_rgb(color)) > 0.2


def test_gray():
    figure, ax = plt.subplots()
    assert (gray(ax, 0.25), gray(ax, 1)) == ("0.25", "1")
    ax.set_facecolor("navy")
    assert gray(ax, 0.25) == "0.75"
    ax.set_facecolor("none")
    assert gray(ax, 0.25) == "0.25"
    figure.set_facecolor("black")
    assert gray(ax, 0) == "1"


def test_names_are_written_in_the_strip_where_they_fit():
    """So that classes can be told apart without their colors."""
    p = np.array([[0.9, 0.1], [0.2, 0.8]])[[0] * 30 + [1] * 1 + [0] * 40]
    display = SequencePredictionDisplay(y_pred=p, y_true=["rest"] * 71, classes=["rest", "walk"]).plot()
    assert [text.get_text() for text in display.axes_[0].texts] == ["rest", "rest", "rest"]


def test_of_many_classes_those_that_never_come_are_gray():
    p = np.full((9, 25), 0.01)
    p[:, [3, 7]] = [0.3, 0.4]
    display = SequencePredictionDisplay(y_pred=p, y_true=[5] * 9, classes=list(range(25))).plot()
    assert [text.get_text() for text in display.legend_.get_texts()] == ["5", "7", "others"]
    assert display.lines_[3][0].get_color() == display.lines_[0][0].get_color() == "0.75"
    assert display.lines_[7][0].get_color() == "C1"


def test_many_words_have_levels():
    display = DISPLAYS["many words"]().plot()
    assert [text.get_text() for text in display.axes_[0].get_yticklabels()] == ["walking", "up", "down"]
    assert display.lines_[0].get_ydata().tolist() == [0, 1, 2] * 30


def test_blanks_have_no_letter():
    letters = AttributionDisplay(attributions=np.ones((3, 1)), values=np.ones((3, 1)), symbols="A C").plot().letters_
    assert len(letters) == 2


def test_no_gradient_at_all():
    display = GradientFlowDisplay(norms=np.zeros((1, 1, 2, 5))).plot()
    assert display.ax_.get_yscale() == "linear"


@pytest.mark.parametrize(("lowest", "powers"), [(1e-3, False), (1e-12, True)])
def test_many_decades_have_powers_of_ten(lowest, powers):
    ax = GradientFlowDisplay(norms=np.geomspace(lowest, 1, 9).reshape(1, 1, 1, 9)).plot().ax_
    assert isinstance(ax.yaxis.get_major_formatter(), LogFormatterSciNotation) == powers


def test_dates_of_python_have_labels_of_their_zone():
    ax = DISPLAYS["times with a zone"]().plot().axes_[0]
    assert isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter)
    labels = ax.xaxis.get_major_formatter().format_ticks([float(ax.convert_xunits(HOURS[0]))])
    assert labels == ["00:00"]


@pytest.mark.parametrize("days", [
    np.datetime64("2024-01-01") + np.arange(5), [datetime.datetime(2024, 1, day) for day in range(1, 6)],
])
def test_dates_of_attributions(days):
    display = AttributionDisplay(attributions=np.ones((5, 2)), values=np.eye(5)[:, :2], times=days).plot()
    assert display.lines_[0].get_xdata().tolist() == list(range(19723, 19728))
    assert all(isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter) for ax in display.axes_)


@pytest.mark.parametrize(("labels", "n"), [(["a"] * 3, 3), (["a" * 90], 1), (["a" * 20] * 6, 3), ([], 0)])
def test_columns_of_a_legend(labels, n):
    assert columns_of_legend(labels, 80) == n


def test_values_of_many_labels_are_left_out():
    assert DISPLAYS["many labels"]().plot().text_ is None
