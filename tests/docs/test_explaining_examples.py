"""The examples that explain predictions say what their pictures show."""

import runpy
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")]
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run():
    yield lambda name: runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    plt.close("all")


def test_the_bases_of_promoters(run):
    names = run("plot_promoters")
    places, mean, attributions = names["places"], names["mean"], names["attributions"]
    assert names["accuracy"] > 0.85
    boxes = sum(mean[(places >= first) & (places <= first + 5)].sum() for first in (-36, -13))
    assert boxes > 0.6 * mean.sum()
    letters, bars = names["display"].letters_, names["ax"].containers[0]
    chosen = attributions[names["chosen"]]
    np.testing.assert_allclose([bar.get_height() for bar in bars], mean)
    extents = [letter.get_path().get_extents() for letter in letters]
    np.testing.assert_allclose([box.height for box in extents], np.abs(chosen[chosen != 0]))
    assert abs(names["of_others"]).max() < 0.2 * mean.max()


def test_the_risk_of_a_patient(run):
    names = run("plot_single_prediction")
    net, patient, parts = names["net"], names["patient"], names["parts"]
    mean = patient.copy()
    for place, name in enumerate(names["signs"]):
        mean[name] = [np.where(np.isnan(x), np.nan, net.X_mean_[place]) for x in patient[name]]
    mean["age"], mean["ward"] = net.static_mean_[0], "another"
    total = names["of_steps"] + parts["age"].iloc[0] + parts["ward"].iloc[0]
    difference = net.predict_proba(patient)[0, 1] - net.predict_proba(mean)[0, 1]
    assert total == pytest.approx(difference, rel=1e-3)
    for ax, answer in zip(names["axes"], names["answers"].values(), strict=True):
        np.testing.assert_allclose([bar.get_width() for bar in ax.containers[0]], list(answer.values()))
    by_gradients = names["answers"]["integrated gradients:\npart of the risk"]
    assert {"lactate", "oxygen_saturation"} == set(sorted(by_gradients, key=by_gradients.get)[-2:])
    assert len(names["display"].axes_) == 6
