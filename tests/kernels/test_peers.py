"""Against PyTorch, an independent implementation: outputs, final states, gradients at 100 random shapes, and Nadam.

PyTorch is no dependency: without it these tests are skipped, unless SKRNN_REQUIRE_PEERS is set, as in continuous
integration.
"""

import importlib
import os

import numpy as np
import pytest
from networks import Case

from skrnn._training.optimizers import NAdam

pytestmark = [pytest.mark.usefixtures("simd"), pytest.mark.slow]

# The cells that PyTorch has, with our form of each.
MODULES = {
    ("rnn", "tanh", True): lambda *a, **k: torch.nn.RNN(*a, nonlinearity="tanh", **k),
    ("rnn", "relu", True): lambda *a, **k: torch.nn.RNN(*a, nonlinearity="relu", **k),
    ("gru", "tanh", True): lambda *a, **k: torch.nn.GRU(*a, **k),
    ("lstm", "tanh", True): lambda *a, **k: torch.nn.LSTM(*a, **k),
}


def random_case(seed, dtype):
    """A network PyTorch can build too: equal hidden sizes in all layers."""
    rng = np.random.default_rng(seed)
    forms = list(MODULES)
    lengths = rng.integers(1, 12, size=rng.integers(1, 20))
    if rng.random() < 0.3:
        lengths[:] = lengths[0]
    return Case(
        forms[seed % len(forms)], (int(rng.integers(1, 40)),) * int(rng.integers(1, 4)),
        bidirectional=bool(rng.integers(2)), per_step=bool(rng.integers(2)), lengths=lengths,
        n_inputs=int(rng.integers(1, 9)), n_outputs=int(rng.integers(1, 5)), seed=seed, dtype=dtype,
    )


@pytest.fixture(scope="module", autouse=True)
def _library():
    """Imported here, for it takes long."""
    global torch
    torch = importlib.import_module("torch") if os.environ.get("SKRNN_REQUIRE_PEERS") else pytest.importorskip("torch")
    torch.set_num_threads(1)


class Peer:
    """The same network and batch in PyTorch; its leaves carry the gradients after `backward`."""

    def __init__(self, case):
        self.case = case
        net, layer = case.net, case.net.layers[0]
        self.recurrent = MODULES[case.form](
            net.n_inputs, layer.n_units, num_layers=len(net.layers), bidirectional=len(layer.directions) == 2,
        ).to(torch.tensor(case.theta).dtype)
        self.V = torch.tensor(case.parameters["head.V"].copy(), requires_grad=True)
        self.c = torch.tensor(case.parameters["head.c"].copy(), requires_grad=True)
        with torch.no_grad():
            for name, ours in self.names():
                parameter = getattr(self.recurrent, name)
                bias = name.startswith("bias")
                parameter.copy_(torch.tensor(ours.copy() if bias else ours.T.copy()))
        self.sequences = [torch.tensor(case.X[case.steps(i)], requires_grad=True) for i in case.index]
        states = zip(*[state for layer in case.states(case.initial) for state in layer], strict=True)
        self.initial = [torch.tensor(np.array(state), requires_grad=True) for state in states]

    def names(self):
        """PyTorch's parameters with our values: weights transposed, a missing second bias as zeros."""
        for depth, layer in enumerate(self.case.net.layers):
            for direction in layer.directions:
                suffix = f"l{depth}" + ("_reverse" if direction.endswith("reverse") else "")
                W, U, b = (self.case.parameters[f"{direction}.{kind}"] for kind in "WUb")
                yield f"weight_ih_{suffix}", W
                yield f"weight_hh_{suffix}", U
                yield f"bias_ih_{suffix}", b[0]
                yield f"bias_hh_{suffix}", b[1] if len(b) == 2 else np.zeros_like(b[0])

    def forward(self):
        """Scores as ours, and final states (states, layers · directions, N, K)."""
        packed = torch.nn.utils.rnn.pack_sequence(self.sequences, enforce_sorted=False)
        initial = tuple(self.initial) if len(self.initial) == 2 else self.initial[0]
        out, final = self.recurrent(packed, initial)
        self.final = final if isinstance(final, tuple) else (final,)
        if self.case.net.per_step:
            features = torch.cat(torch.nn.utils.rnn.unpack_sequence(out))
        else:
            n = len(self.case.net.layers[0].directions)
            features = torch.cat(list(self.final[0][-n:]), dim=1)
        self.scores = features @ self.V + self.c
        return self.scores

    def backward(self):
        """Gradient of the case's scalar function, as the case computes it."""
        total = (self.scores * torch.tensor(self.case.dscores)).sum()
        weights = zip(*[d for layer in self.case.states(self.case.dfinal) for d in layer], strict=True)
        for states, weight in zip(self.final, weights, strict=True):
            total = total + (states * torch.tensor(np.array(weight))).sum()
        total.backward()


def assert_close(actual, expected, bound):
    """Largest difference over the largest magnitude (at least 1)."""
    expected = expected.detach().numpy() if hasattr(expected, "detach") else expected
    assert actual.shape == tuple(expected.shape)
    assert np.abs(actual - expected).max() <= bound * max(1, np.abs(expected).max())


def assert_states_close(ours, theirs, bound):
    """[layer][direction] (states, N, K) against [state] (layers · directions, N, K)."""
    tracks = [states for layer in ours for states in layer]
    for number, states in enumerate(tracks):
        for state, other in zip(states, theirs, strict=True):
            assert_close(state, other[number], bound)


DTYPES = pytest.mark.parametrize(
    ("dtype", "outputs", "gradients"), [(np.float64, 1e-12, 1e-10), (np.float32, 1e-5, 1e-5)], ids=["double", "single"]
)


@pytest.mark.every_simd
@pytest.mark.parametrize("seed", range(20))
@DTYPES
def test_outputs_and_gradients_equal_those_of_pytorch(seed, dtype, outputs, gradients):
    assert_equal_to_pytorch(seed, dtype, outputs, gradients)


@pytest.mark.parametrize("seed", range(20, 100))
@DTYPES
def test_more_outputs_and_gradients_equal_those_of_pytorch(seed, dtype, outputs, gradients):
    assert_equal_to_pytorch(seed, dtype, outputs, gradients)


def assert_equal_to_pytorch(seed, dtype, outputs, gradients):
    """Outputs and gradients of a random network, within bounds."""
    case = random_case(seed, dtype)
    peer = Peer(case)
    scores, final = case.forward()
    assert_close(scores, peer.forward(), outputs)
    assert_states_close(case.states(final), peer.final, outputs)

    peer.backward()
    dtheta, dX, dinitial = case.gradients()
    ours = case.net.layout.views(dtheta)
    assert_close(ours["head.V"], peer.V.grad, gradients)
    assert_close(ours["head.c"], peer.c.grad, gradients)
    for depth, layer in enumerate(case.net.layers):
        for direction in layer.directions:
            suffix = f"l{depth}" + ("_reverse" if direction.endswith("reverse") else "")
            assert_close(ours[f"{direction}.W"], getattr(peer.recurrent, f"weight_ih_{suffix}").grad.T, gradients)
            assert_close(ours[f"{direction}.U"], getattr(peer.recurrent, f"weight_hh_{suffix}").grad.T, gradients)
            for b, name in zip(ours[f"{direction}.b"], ("bias_ih", "bias_hh"), strict=False):
                assert_close(b, getattr(peer.recurrent, f"{name}_{suffix}").grad, gradients)
    for i in case.index:
        assert_close(dX[case.steps(i)], peer.sequences[i].grad, gradients)
    assert_states_close(case.states(dinitial), [initial.grad for initial in peer.initial], gradients)


@pytest.fixture
def float64_by_default():
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(default)


@pytest.mark.usefixtures("float64_by_default")      # PyTorch keeps the product of the momenta in the default dtype.
@pytest.mark.parametrize("n", [3, 1003])
def test_nadam_is_that_of_pytorch(n):
    rng = np.random.default_rng(0)
    theta, gradients = rng.normal(size=n), rng.normal(size=(50, n))
    parameter = torch.tensor(theta.copy(), requires_grad=True)
    peer = torch.optim.NAdam([parameter], lr=0.01, betas=(0.8, 0.99), eps=1e-6, momentum_decay=0.004)
    nadam = NAdam(theta, learning_rate_init=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-6)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        peer.step()
        nadam.update(theta, gradient)
    np.testing.assert_allclose(theta, parameter.detach().numpy(), rtol=1e-12, atol=1e-12)
