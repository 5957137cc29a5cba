"""Promises 2 and 3: the same bits for any number of threads, and for any subset that is predicted."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from networks import ALL_LOSSES, FORMS, Case, make_loss, outputs_of, targets_for
from pairwise import one_at_a_time, pairwise

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data.examples import Examples
from skrnn._network.objective import Objective
from skrnn._runtime import memory, threads

pytestmark = pytest.mark.usefixtures("simd")

LENGTHS = tuple(np.random.default_rng(1).integers(1, 12, size=61))
THREADS = (1, 2, 3, 5, 8, 16)


def use_threads(monkeypatch, n_threads):
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)


@pytest.mark.every_simd
@pytest.mark.parametrize(
    ("form", "arrangement", "ragged", "dtype"),
    pairwise(
        FORMS, [((13,), False, False), ((7, 5), True, True), ((40, 33), False, True)], [False, True],
        [np.float32, np.float64],
    ), ids=str,
)
def test_threads_change_no_bit(form, arrangement, ragged, dtype, monkeypatch):
    """Scores, final states, and the gradients of everything."""
    lengths = np.resize(LENGTHS, 150) if ragged else np.full(150, 7)
    case = Case(form, *arrangement, lengths=lengths, dtype=dtype)
    results = []
    for n_threads in THREADS:
        use_threads(monkeypatch, n_threads)
        results.append([array.tobytes() for array in (*case.forward(), *case.gradients())])
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("n_units", [130, 260])
def test_threads_change_no_bit_of_large_networks(n_units, monkeypatch):
    """Groups of 32; with 260 units also more gradients of groups than wait to be added up at a time."""
    case = Case(("lstm", "tanh", True), (n_units,), lengths=(3,) * 70 if n_units == 130 else (1,) * 2000)
    results = []
    for n_threads in (1, 2, 5):
        use_threads(monkeypatch, n_threads)
        results.append([array.tobytes() for array in case.gradients()])
    assert results[1:] == results[:1] * 2


@pytest.mark.parametrize(("loss", "form"), one_at_a_time(ALL_LOSSES, FORMS), ids=str)
def test_threads_change_no_bit_of_the_loss(form, loss, monkeypatch):
    case = Case(form, (9,), per_step=True, lengths=np.resize(LENGTHS, 150), n_outputs=outputs_of(loss))
    rng = np.random.default_rng(0)
    targets = targets_for(loss, len(case.X), rng)
    examples = Examples(case.sequences, targets, rng.uniform(size=len(case.X)), True)
    results = []
    for n_threads in THREADS:
        use_threads(monkeypatch, n_threads)
        value, penalty, gradient, weight = Objective(case.net, examples, make_loss(loss), 150, 0.1)(
            case.theta, case.index
        )
        results.append((value, penalty, gradient.tobytes(), weight))
    assert all(result == results[0] for result in results)


FIT = """
import sys, warnings, numpy as np
from sklearn.exceptions import ConvergenceWarning
from skrnn import RNNClassifier
from skrnn._runtime import threads as _threads
_threads.SERIAL_WORK = 0
warnings.simplefilter("ignore", ConvergenceWarning)
assert _threads.threads_for(1) == int(sys.argv[1])
rng = np.random.default_rng(0)
X = [rng.normal(size=(T, 3)) for T in rng.integers(1, 20, size=70)]
y = rng.integers(3, size=70)
net = RNNClassifier((9, 40), bidirectional=True, batch_size=32, max_iter=3, random_state=0).fit(X, y)
print(net._fitted.model.theta.tobytes().hex(), net.predict_proba(X).tobytes().hex())
"""


@pytest.mark.slow
def test_fit_and_predict_have_the_same_bits_in_processes_with_other_numbers_of_threads():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", FIT, str(n)], env=os.environ | {"OMP_NUM_THREADS": str(n)}, check=True,
            capture_output=True, text=True,
        ).stdout
        for n in (1, 3)
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


@pytest.mark.every_simd
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("form", "arrangement", "ragged", "dtype", "return_sequences"),
    pairwise(
        FORMS, [((6, 5), False), ((6, 5), True), (32, False)], [False, True], [np.float32, np.float64], [False, True]
    ), ids=str,
)
def test_predict_of_a_subset_is_that_subset_of_the_whole(form, arrangement, ragged, dtype, return_sequences):
    """Row by row, too; 32 units fill whole panels of the packed weights."""
    hidden_size, bidirectional = arrangement
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, size=40) if ragged else np.full(40, 6)
    X = [rng.normal(size=(T, 3)).astype(dtype) for T in lengths]
    y = [rng.integers(4, size=T) for T in lengths] if return_sequences else rng.integers(4, size=40)
    cell, activation, reset_after = form
    net = RNNClassifier(
        hidden_size, cell=cell, activation=activation, reset_after=reset_after, bidirectional=bidirectional, max_iter=1,
        return_sequences=return_sequences, random_state=0,
    ).fit(X, y)
    whole = net.predict_proba(X)
    assert whole[0].dtype == dtype
    for subset in (*([i] for i in range(40)), [0, 17, 39], range(1, 40, 2), rng.permutation(40)):
        part = net.predict_proba([X[i] for i in subset])
        assert all(a.tobytes() == whole[i].tobytes() for a, i in zip(part, subset, strict=True))


def test_predictions_do_not_depend_on_how_predict_is_cut_up(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 7, 2)), rng.normal(size=50)
    net = RNNRegressor(5, random_state=0, tol=1e-2).fit(X, y)
    whole = net.predict(X)
    for max_bytes in (10_000, 1):       # a few sequences at a time; one
        monkeypatch.setattr(memory, "max_bytes", lambda max_bytes=max_bytes: max_bytes)
        assert net.predict(X).tobytes() == whole.tobytes()


def test_same_seed_gives_the_same_bits_and_another_seed_does_not():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 5, 2)), rng.normal(size=30)
    a, b, c = (RNNRegressor(4, random_state=seed, tol=1e-2).fit(X, y).predict(X) for seed in (0, 0, 1))
    assert a.tobytes() == b.tobytes() != c.tobytes()


@pytest.mark.slow
def test_threads_of_a_forked_child():
    """The OpenMP runtime hangs in a child forked after a parallel region, so a child works with one thread."""
    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    case = Case(FORMS[0], lengths=LENGTHS)
    expected = case.forward()[0].tobytes()
    code = (
        "import os, numpy as np\n"
        "from networks import FORMS, Case, make_loss, outputs_of, targets_for\n"
        "from skrnn._runtime import threads as _threads\n"
        "_threads.SERIAL_WORK = 0\n"
        f"case = Case(FORMS[0], lengths={tuple(map(int, LENGTHS))})\n"
        "case.forward()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    assert _threads.threads_for(1) == 1\n"
        "    print(case.forward()[0].tobytes().hex(), flush=True)\n"
        "    os._exit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=os.environ | {"OMP_NUM_THREADS": "2"}, timeout=60, check=True,
        cwd=Path(__file__).parents[1] / "helpers", capture_output=True, text=True,
    )
    assert bytes.fromhex(done.stdout.strip()) == expected
