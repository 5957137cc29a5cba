"""What displays share: axes, styles, labels, and matplotlib, which is there only when something is drawn."""

import inspect
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.lines import Line2D

from skrnn import RNNRegressor, inspection
from skrnn.inspection import (
    AttributionDisplay,
    GradientFlowDisplay,
    HiddenStateDisplay,
    SearchDisplay,
    SequencePredictionDisplay,
    StepConfusionDisplay,
    TrainingDisplay,
)
from skrnn.inspection._displays import (
    colors_of,
    one_axes,
    set_log_scale,
    several_axes,
    styled,
    tidy,
    with_reference,
)

DISPLAYS = {
    "AttributionDisplay": lambda: AttributionDisplay(attributions=np.eye(3, 2), values=np.ones((3, 2))),
    "GradientFlowDisplay": lambda: GradientFlowDisplay(norms=np.full((1, 1, 2, 3), 0.5)),
    "HiddenStateDisplay": lambda: HiddenStateDisplay(states=np.eye(3, 2), series=np.ones((3, 1))),
    "SearchDisplay": lambda: SearchDisplay(x=[1, 2], scores=np.array([0.1, 0.2]), fit_times=np.array([1.0, 2.0])),
    "SequencePredictionDisplay": lambda: SequencePredictionDisplay(y_pred=np.array([[1.0, 2.0], [2.0, 3.0]])),
    "StepConfusionDisplay": lambda: StepConfusionDisplay(
        confusion_matrix=np.eye(2, dtype=int), display_labels=np.array(["a", "b"])
    ),
    "TrainingDisplay": lambda: TrainingDisplay(loss=np.array([2.0, 1.0]), grad_norm=np.array([1.0, 0.5])),
}
PANELS = {"GradientFlowDisplay": 1, "StepConfusionDisplay": 1}      # of the others two


def axes_of(display):
    """The axes that a display has drawn on."""
    return [display.ax_] if not hasattr(display, "axes_") else list(display.axes_)


@pytest.fixture
def without_matplotlib(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)


def placed_by_hand():
    return plt.figure().add_axes((0.2, 0.3, 0.5, 0.4))


class TestAxes:
    def test_of_a_new_figure(self):
        axes = several_axes(None, 3, "it")
        assert axes.shape == (3,)
        heights = [ax.get_position().height for ax in axes]
        assert heights[0] == pytest.approx(2 * heights[1])
        assert axes[0].get_shared_x_axes().joined(axes[0], axes[2])

    @pytest.mark.parametrize("make", [lambda: plt.subplots()[1], placed_by_hand], ids=["subplot", "by hand"])
    def test_panels_in_the_place_of_one(self, make):
        ax = make()
        place = ax.get_position()
        axes = several_axes(ax, 2, "it", share_x=False)
        assert not ax.axison
        assert all(panel.figure is ax.figure for panel in axes)
        assert axes[0].get_position().y1 == pytest.approx(place.y1)
        assert axes[1].get_position().y0 == pytest.approx(place.y0)
        assert axes[1].get_position().x1 == pytest.approx(place.x1)

    def test_one_is_drawn_on_as_it_is(self):
        ax = plt.subplots()[1]
        assert one_axes(ax, "it") is ax
        assert several_axes(ax, 1, "it")[0] is ax

    def test_as_many_as_panels(self):
        axes = plt.subplots(2)[1]
        assert list(several_axes(axes, 2, "it")) == list(axes)
        with pytest.raises(ValueError, match="ax has 2 axes, expected one or 3"):
            several_axes(axes, 3, "it")

    @pytest.mark.parametrize("ax", [3, "ax", [plt, plt]])
    def test_others_are_refused(self, ax):
        with pytest.raises(TypeError, match="expected matplotlib's Axes"):
            several_axes(ax, 2, "it")


class TestStyles:
    @pytest.mark.parametrize("given", [{"c": "red"}, {"color": "red"}])
    def test_what_is_given_replaces_defaults_by_all_names(self, given):
        assert styled(Line2D, {"color": "blue", "linewidth": 1}, given, "line_kw") == {"color": "red", "linewidth": 1}

    def test_errors(self):
        with pytest.raises(TypeError, match="line_kw='red': expected a dict"):
            styled(Line2D, {}, "red", "line_kw")
        with pytest.raises(TypeError, match="color"):
            styled(Line2D, {}, {"c": "red", "color": "blue"}, "line_kw")

    @pytest.mark.parametrize(("n", "ordered"), [(3, False), (15, False), (7, True)])
    def test_colors_are_different(self, n, ordered):
        assert len(set(map(mpl.colors.to_hex, colors_of(n, ordered=ordered)))) == n


class TestLabels:
    def test_whole_numbers(self):
        ax = plt.subplots()[1]
        ax.plot([1, 2, 3], [0.1, 0.2, 0.3])
        tidy(ax, x="epoch", y="a name that does not fit beside a small panel", integers="x")
        assert (ax.get_xticks() % 1 == 0).all()
        assert ax.get_xlabel() == "epoch"
        assert max(map(len, ax.get_ylabel().split("\n"))) <= 24

    def test_logarithms_have_plain_numbers(self):
        ax = plt.subplots()[1]
        ax.plot([1, 2], [0.01, 2.0])
        set_log_scale(ax, "y")
        ax.figure.canvas.draw()
        assert {"0.01", "0.1", "1"} <= {tick.get_text() for tick in ax.get_yticklabels()}

    def test_reference_lines(self):
        ax = plt.subplots()[1]
        lines = with_reference(ax, {"ridge": 0.986, "chance": 0.1})
        assert [(line.get_label(), line.get_ydata()[0]) for line in lines] == [
            ("ridge (0.986)", 0.986), ("chance (0.1)", 0.1),
        ]


@pytest.mark.parametrize("name", DISPLAYS)
class TestEveryDisplay:
    def test_stores_what_it_is_given_and_nothing_else(self, name):
        """As attributes with the names of the parameters."""
        parameters = inspect.signature(getattr(inspection, name)).parameters
        assert vars(DISPLAYS[name]()).keys() == parameters.keys()
        assert {parameter.kind for parameter in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}

    def test_what_is_drawn_is_said_by_other_names_than_data(self, name):
        """No argument of `plot` and no switch of `from_estimator` is called as a parameter that holds data."""
        cls = getattr(inspection, name)
        data = inspect.signature(cls).parameters.keys()
        assert not data & inspect.signature(cls.plot).parameters.keys()
        switches = {each.name for each in inspect.signature(cls.from_estimator).parameters.values() if each.default in (
            True, False
        )}
        assert not data & switches

    def test_returns_itself_and_leaves_pyplot_as_it_was(self, name, monkeypatch):
        monkeypatch.setattr(plt, "show", lambda *args, **keywords: pytest.fail("show was called"))
        before, display = dict(mpl.rcParams), DISPLAYS[name]()
        assert display.plot() is display
        assert dict(mpl.rcParams) == before
        assert {ax.figure for ax in axes_of(display)} == {display.figure_}

    def test_draws_again_on_its_own_axes(self, name):
        display = DISPLAYS[name]().plot()
        axes = axes_of(display)
        assert len(axes) == PANELS.get(name, 2)
        assert axes_of(display.plot(axes[0] if len(axes) == 1 else axes)) == axes
        with pytest.raises((ValueError, TypeError), match=r"ax has 5 axes, expected one or 2|ax is list, expected"):
            display.plot([axes[0]] * 5)

    @pytest.mark.usefixtures("without_matplotlib")
    def test_says_how_to_install_matplotlib(self, name):
        with pytest.raises(ImportError, match=rf"{name}\.plot needs the package matplotlib: pip install 'skrnn\[exam"):
            DISPLAYS[name]().plot()

    @pytest.mark.usefixtures("without_matplotlib")
    def test_misses_matplotlib_before_any_work(self, name):
        cls = getattr(inspection, name)
        for method in [method for method in dir(cls) if method.startswith("from_")]:
            parameters = inspect.signature(getattr(cls, method)).parameters.values()
            needed = [3 for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
            with pytest.raises(ImportError, match=rf"{name}\.{method} needs the package matplotlib"):
                getattr(cls, method)(*needed)


def test_every_display_is_tested():
    assert set(DISPLAYS) == {name for name in inspection.__all__ if name.endswith("Display")}


@pytest.mark.parametrize("from_estimator", [TrainingDisplay.from_estimator, SearchDisplay.from_estimator])
def test_unfitted_estimators_are_refused(from_estimator):
    with pytest.raises((ValueError, TypeError), match="fitted"):
        from_estimator(RNNRegressor())
