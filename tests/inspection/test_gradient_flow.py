"""How gradients come back through the steps: known values, parts of X, clipping, and the display."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, RNNSurvival
from skrnn.datasets import make_survival
from skrnn.inspection import GradientFlowDisplay, gradient_flow

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")

rng = np.random.default_rng(0)
X, T = rng.normal(size=(10, 7, 2)), 7
y = X[:, 0, 0]
LENGTHS = (7, 1, 4, 2, 5) * 2
RAGGED = [x[:length] for x, length in zip(X, LENGTHS, strict=True)]


def fitted(X=X, y=y, net=RNNRegressor, **parameters):
    parameters = {"hidden_size": 3, "max_iter": 1, "random_state": 0, "tol": 1.0, "patch_size": None} | parameters
    return net(**parameters).fit(X, y)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def linear(rate, T=100, **parameters):
    """An Elman network without activation whose recurrent weights are `rate` times a rotation, and data of T steps."""
    X = rng.normal(size=(6, T, 1))
    net = fitted(X, X[:, 0, 0], cell="rnn", activation="identity", pooling="last", hidden_size=4, **parameters)
    net.set_parameters(net.parameters_ | {"layer0.U": rate * np.linalg.qr(rng.normal(size=(4, 4)))[0]})
    return net, X, X[:, 0, 0]


@pytest.mark.parametrize("rate", [0.9, 1.0, 1.1])
def test_of_a_linear_net_is_a_power(rate):
    """∂ℓ/∂h_t = U ∂ℓ/∂h_{t+1}, from V ∂ℓ/∂score at the last step; the loss is ½ (score − y)²."""
    net, X, y = linear(rate)
    display = GradientFlowDisplay.from_estimator(net, X, y)
    norms = display.norms[0, 0]
    np.testing.assert_allclose(norms, norms[:, -1:] * rate ** np.arange(99, -1, -1.0), rtol=1e-10)
    V, scale = net.parameters_["head.V"], net.y_scale_
    error = np.abs(net.predict(X) - y) / scale
    np.testing.assert_allclose(norms[:, -1], np.linalg.norm(V) * error, rtol=1e-8)
    assert display.rates_[0, 0] == pytest.approx(rate)
    assert f"×{rate:.3g} per step back" in display.lines_[0, 0].get_label()


def test_an_elman_net_forgets_what_an_lstm_keeps():
    """As they are at first, the LSTM with open forget gates (Tallec and Ollivier, 2018): over a hundred steps."""
    X = np.random.default_rng(0).normal(size=(32, 100, 1))
    shared = {"pooling": "last", "hidden_size": 16, "learning_rate_init": 1e-5}
    elman, lstm = (fitted(X, X[:, 0, 0], cell=cell, **shared) for cell in ("rnn", "lstm"))
    b = lstm.parameters_["layer0.b"].copy()
    b[:, 16:32] = np.log(99)
    lstm.set_parameters(lstm.parameters_ | {"layer0.b": b})
    shares = {}
    for name, net in (("elman", elman), ("lstm", lstm)):
        norms = np.median(gradient_flow(net, X, X[:, 0, 0]).norms[0, 0], axis=0)
        shares[name] = norms[0] / norms.max()
    assert shares["elman"] < 1e-6
    assert shares["lstm"] > 0.1
    # in an LSTM it flows in c, from which h gets its part
    h, c, both = (gradient_flow(lstm, X, X[:, 0, 0], state=state).norms for state in ("h", "c", None))
    np.testing.assert_allclose(both**2, h**2 + c**2, rtol=1e-10)
    assert (c[..., 0] > h[..., 0]).all()
    assert not c[..., -1].any()


FORMS = {
    "array": (X, y, {}),
    "ragged": (RAGGED, y, {}),
    "shared steps": (RaggedArray(X[:, :, 0].ravel(), LENGTHS, np.arange(10) * 5), y, {}),
    "both directions": (RAGGED, y, {"bidirectional": True, "hidden_size": (3, 2), "cell": "lstm"}),
    "per step": (RAGGED, [x[:, 0] for x in RAGGED], {"return_sequences": True}),
    "classes per step, some without": (
        RAGGED, [np.where(x[:, 1] > 1, -1, x[:, 0] > 0) for x in RAGGED], {"return_sequences": True}
    ),
    "outputs known in part": (X, np.where(X[:, 1] > 0.8, np.nan, X[:, 0]), {}),
    "patches": (RAGGED, y, {"patch_size": 3, "patch_stride": 2}),
    "units of sequences": (RAGGED[::3] + RAGGED[2::5], y[:6], {"standardize": "sequence"}),
    "decay": (np.where(X > 1, np.nan, X), y, {"missing": "decay"}),
    "classes": (RAGGED, y > 0, {}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_sequence_has_a_loss_of_its_own(form):
    """Nothing depends on the others of X, on their number and length, nor on batches."""
    X, y, parameters = FORMS[form]
    net = fitted(X, y, RNNClassifier if "classes" in form else RNNRegressor, **parameters)
    norms = gradient_flow(net, X, y).norms
    lengths = [np.isfinite(of_sequence).sum() for of_sequence in norms[0, 0]]
    if "patches" not in form:
        assert lengths == list(map(len, X))
    assert np.isfinite(norms[..., -1]).all()
    net.set_params(batch_size=3)
    np.testing.assert_allclose(gradient_flow(net, X, y).norms, norms, rtol=1e-10)
    for i in (1, 2):
        alone = gradient_flow(net, X[i : i + 1], y[i : i + 1]).norms[:, :, 0]
        np.testing.assert_allclose(alone, norms[:, :, i, norms.shape[-1] - lengths[i] :], rtol=1e-9)


def test_order_is_that_of_reading():
    """Of both directions the last column is what the head reads of a sequence."""
    net = fitted(RAGGED, y, bidirectional=True, pooling="last")
    forwards, backwards = gradient_flow(net, RAGGED, y).norms[0]
    V, error = net.parameters_["head.V"], np.abs(net.predict(RAGGED) - y) / net.y_scale_
    np.testing.assert_allclose(forwards[:, -1], np.linalg.norm(V[:3]) * error, rtol=1e-8)
    np.testing.assert_allclose(backwards[:, -1], np.linalg.norm(V[3:]) * error, rtol=1e-8)


class TestStep:
    def test_of_one_step(self):
        """Steps after it have no part in its loss; the losses of all steps add up."""
        targets = X[:, :, 0]
        net = fitted(y=targets, return_sequences=True)
        whole = gradient_flow(net, X, targets).norms
        for step in (2, -5):
            norms = gradient_flow(net, X, targets, step=step).norms[0, 0]
            assert not norms[:, 3:].any()
            assert (norms[:, :3] > 0).all()
        last = gradient_flow(net, X, targets, step=-1).norms
        np.testing.assert_allclose(last[..., -1], T * whole[..., -1], rtol=1e-10)

    def test_without_a_target(self):
        targets = X[:, :, 0].copy()
        targets[3, -1] = np.nan
        net = fitted(y=targets, return_sequences=True)
        norms = gradient_flow(net, X, targets, step=-1).norms[0, 0]
        np.testing.assert_array_equal(np.isnan(norms).all(axis=1), np.arange(10) == 3)
        targets[:, -1] = np.nan
        with pytest.raises(ValueError, match="y has no target"):
            gradient_flow(net, X, targets, step=-1)

    def test_what_cannot_be(self):
        net = fitted(RAGGED, [x[:, 0] for x in RAGGED], return_sequences=True)
        for step, match in ((2, r"step=2: X\[1\] has 1 steps"), (-3, r"step=-3: X\[1\] has 1 steps")):
            with pytest.raises(ValueError, match=match):
                gradient_flow(net, RAGGED, [x[:, 0] for x in RAGGED], step=step)
        with pytest.raises(TypeError, match=r"step=1\.0: expected an int"):
            gradient_flow(net, RAGGED, [x[:, 0] for x in RAGGED], step=1.0)
        with pytest.raises(ValueError, match="step=0: the net has one output for each sequence"):
            gradient_flow(fitted(), X, y, step=0)


def test_states_without_bound():
    net, X, y = linear(1e5)
    with pytest.raises(ValueError, match=r"the loss of X\[0\] to X\[5\] is (inf|nan): the states of the net grow"):
        gradient_flow(net, X, y)


@pytest.mark.parametrize(("arguments", "match"), [
    ({"state": "c"}, "state='c': the cell 'rnn' has 'h'"), ({"y": y[:5]}, "5"), ({"X": X[:, :, :1]}, "1 features"),
    ({"y": np.full(10, np.nan)}, "Input y contains NaN"),
])
def test_what_cannot_be(arguments, match):
    with pytest.raises(ValueError, match=match):
        gradient_flow(fitted(cell="rnn"), **{"X": X, "y": y} | arguments)


def test_of_survival():
    X, y = make_survival(20, random_state=0)
    flow = gradient_flow(fitted(X, y, RNNSurvival), X, y)
    assert np.isfinite(flow.norms[0, 0, :, -1]).all()


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_norm_of_the_parameters_is_that_of_training(solver):
    """The norm in the record of the next epoch is that of the parameters before it; clipping brings it to the limit."""
    settings = {"alpha": 0.5, "solver": solver}
    if solver == "adam":
        settings |= {"batch_size": 4, "shuffle": False, "max_grad_norm": 0.05, "learning_rate_init": 1e-9}
    net = fitted(**settings)
    flow = gradient_flow(net, X, y)
    assert flow.grad_norm.shape == ((3,) if solver == "adam" else (1,))
    if solver == "adam":
        net.partial_fit(X, y)
        assert net.grad_norm_curve_[-1] == pytest.approx(flow.grad_norm.mean(), rel=1e-6)
        np.testing.assert_allclose(flow.scale, np.minimum(1, 0.05 / flow.grad_norm)[np.repeat([0, 1, 2], [4, 4, 2])])
    else:
        assert (flow.scale == 1).all()


class TestDisplay:
    @pytest.fixture(scope="class")
    def display(self):
        """Of two layers in both directions, one of whose two batches is clipped."""
        norms = np.exp(rng.normal(size=(2, 2, 6, 5)))
        norms[:, :, 0, :2] = np.nan
        scale = np.array([1, 1, 1, 0.1, 0.1, 0.1])
        return GradientFlowDisplay(norms=norms, scale=scale, grad_norm=np.array([0.5, 20.0]), max_grad_norm=2.0)

    @pytest.mark.parametrize(("statistic", "summary"), [("median", np.nanmedian), ("mean", np.nanmean)])
    def test_lines_are_over_sequences(self, display, statistic, summary):
        display.plot(statistic=statistic)
        assert sorted(display.lines_) == sorted(display.clipped_) == [(0, 0), (0, 1), (1, 0), (1, 1)]
        for key, line in display.lines_.items():
            np.testing.assert_allclose(line.get_ydata(), summary(display.norms[key], axis=0))
            assert line.get_xdata().tolist() == [-4, -3, -2, -1, 0]
            clipped = display.clipped_[key]
            np.testing.assert_allclose(
                clipped.get_ydata(), summary(display.norms[key] * display.scale[:, np.newaxis], axis=0)
            )
            assert clipped.get_color() == line.get_color()
        assert display.ax_.get_yscale() == "log"
        texts = [" ".join(text.get_text().split()) for text in display.ax_.get_legend().get_texts()]
        assert texts[1] == "layer 0, forwards: clipped to max_grad_norm=2 (1 of 2 batches)"
        assert texts[2].startswith("layer 0, backwards: ×")

    def test_a_choice(self, display):
        display.plot(layers=[-1], quantiles=None, include_clipped=False, name="net", line_kw={"color": "red"})
        assert sorted(display.lines_) == [(1, 0), (1, 1)]
        assert not display.bands_
        assert not display.clipped_
        assert display.lines_[1, 0].get_color() == "red"

    def test_bands(self, display):
        display.plot(quantiles=(0, 1))
        extent = display.bands_[1, 1].get_paths()[0].get_extents()
        assert extent.y0 == pytest.approx(np.nanmin(display.norms[1, 1]))
        assert extent.y1 == pytest.approx(np.nanmax(display.norms[1, 1]))

    def test_two_nets_have_two_colors(self):
        ax = None
        for cell in ("rnn", "gru"):
            display = GradientFlowDisplay.from_estimator(fitted(cell=cell), X, y, ax=ax, name=cell)
            ax = display.ax_
        assert [to_hex(line.get_color()) for line in ax.lines] == [to_hex("C0"), to_hex("C1")]
        assert [text.get_text().split(":")[0] for text in ax.get_legend().get_texts()] == ["rnn", "gru"]

    def test_a_gradient_of_zero_has_a_rate_of_the_others(self):
        display = GradientFlowDisplay(norms=np.array([0.0, 0.25, 0.5, 1.0]).reshape(1, 1, 1, 4)).plot()
        assert display.rates_[0, 0] == pytest.approx(0.5)
        of_one_step = GradientFlowDisplay(norms=np.ones((1, 1, 2, 1))).plot()
        assert np.isnan(of_one_step.rates_[0, 0])

    @pytest.mark.parametrize(("wrong", "match"), [
        ({"statistic": "max"}, "statistic='max': expected 'median' or 'mean'"), ({"layers": []}, r"layers=\[\]"),
        ({"layers": [2]}, "layers=2: there are 2 layers"), ({"quantiles": (0.9, 0.1)}, "quantiles="),
        ({"quantiles": 0.1}, "quantiles=0.1"),
    ])
    def test_what_cannot_be(self, display, wrong, match):
        with pytest.raises(ValueError, match=match):
            display.plot(**wrong)
