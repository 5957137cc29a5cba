"""Ctrl-C during a call of the kernels: all threads leave soon, and the engine computes as before afterwards."""

import signal
import threading
import time
from functools import partial

import numpy as np
import pytest
from networks import FORMS, Case
from pairwise import pairwise

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data.sequences import Sequences
from skrnn._network.network import RecurrentNetwork
from skrnn._runtime import memory, threads
from skrnn.kernels import kernels_for

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

LENGTHS = tuple(np.resize([9, 30, 1, 17], 37))


class Interrupt(KeyboardInterrupt):
    """What the handler of a signal may raise."""


class Looks:
    """Looks at every step; raises at one of them."""

    def __init__(self, dtype, raise_at=None):
        self.kernels, self.count, self.raise_at = kernels_for(dtype), 0, raise_at

    def __call__(self):
        self.count += 1
        if self.count == self.raise_at:
            raise Interrupt

    def __enter__(self):
        self.kernels.set_looks(seconds=0, work=0, hook=self)
        return self

    def __exit__(self, *_):
        self.kernels.set_looks()


def computations(case, engine):
    """Functions that return the bytes of what an engine computes."""
    def forward():
        final = np.empty_like(case.initial)
        scores = case.net.forward(case.theta, case.sequences, case.index, case.initial, final, engine=engine)
        return scores.tobytes(), final.tobytes()

    def backward():
        dstate = case.dfinal.copy()
        gradients = case.net.backward(
            case.theta, case.sequences, case.index, case.dscores, dstate, case.initial, need_dX=True, engine=engine
        )
        return gradients.theta.tobytes(), gradients.X.tobytes(), dstate.tobytes()

    def step():
        scores, after, _ = case.net.step(engine, case.theta, case.X[: len(case.initial)], case.initial)
        return scores.tobytes(), after.tobytes()

    return {"forward": forward, "backward": backward} | ({} if case.net.layers[0].directions[1:] else {"step": step})


def moments(n):
    """Some of the numbers 1 to n, the first and the last ones among them."""
    return sorted({1, 2, n - 1, n, *np.linspace(1, n, 8).astype(int)} - {0})


@pytest.mark.parametrize(
    ("form", "arrangement", "per_step", "dtype", "n_threads", "max_bytes"),
    pairwise(
        FORMS,
        [((6,), False, "last"), ((5, 4), True, "last"), ((5, 4), False, "mean"), ((4,), True, "last_mean_max")],
        [False, True], [np.float32, np.float64], [1, 2, 3], [2**40, 2**18, 1],
    ), ids=str,
)
def test_an_interrupt_at_any_step_leaves_the_engine_as_it_was(
    form, arrangement, per_step, dtype, n_threads, max_bytes, monkeypatch
):
    """Whole groups, shared ones and segments; the same call again has the same bits, and theta is not changed."""
    hidden_size, bidirectional, pooling = arrangement
    case = Case(form, hidden_size, bidirectional, per_step, LENGTHS, dtype=dtype, pooling=pooling)
    theta = case.theta.copy()
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
    monkeypatch.setattr(memory, "max_bytes", lambda: max_bytes)
    for name, compute in computations(case, case.net.engine(dtype)).items():
        expected = compute()
        with Looks(dtype) as looks:
            assert compute() == expected
        assert looks.count > 0 or name == "step"        # which has a look between groups alone
        for moment in moments(looks.count):
            with Looks(dtype, moment) as looks:
                try:
                    # several threads share the looks otherwise each time
                    assert compute() == expected
                    assert n_threads > 1 or looks.count < moment
                except Interrupt:
                    assert looks.count == moment
            assert compute() == expected
    assert case.theta.tobytes() == theta.tobytes()


@pytest.mark.parametrize("form", [("lstm", "tanh", True), ("gru", "tanh", False)], ids=str)
def test_calls_in_which_threads_share_units(form, monkeypatch):
    """The others leave, wherever the thread that called has stopped."""
    case = Case(form, (12, 20), lengths=(7,), dtype=np.float32)
    kernels, engine = kernels_for(np.float32), case.net.engine(np.float32)
    compute = computations(case, engine)["forward"]
    expected = compute()
    monkeypatch.setattr(threads, "threads_for", lambda work: 2)
    kernels.set_sharing(work=1, wait=1e9)
    try:
        with Looks(np.float32) as looks:
            assert compute() == expected
        assert looks.count >= 14
        for moment in (1, 5, 7, 10, 14):
            with Looks(np.float32, moment), pytest.raises(Interrupt):
                compute()
        assert compute() == expected
        assert engine.sharing() == (7, 0)
    finally:
        kernels.set_sharing()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("what", ["fit", "predict", "transform", "predict_step"])
def test_what_a_handler_raises_is_raised_by_the_call(what, n_threads, monkeypatch):
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 12, 2))
    net = RNNRegressor(5, random_state=0, max_iter=2, tol=1).fit(X, X[:, 0, 0])
    arguments = {"fit": (X, X[:, 0, 0]), "predict_step": (X[:, 0], net.initial_state(200))}.get(what, (X,))
    call = partial(getattr(RNNRegressor(5, random_state=0) if what == "fit" else net, what), *arguments)

    class Other(Exception):
        pass

    def stop():
        raise Other("from the handler")

    kernels_for(np.float64).set_looks(seconds=0, work=0, hook=stop)
    try:
        with pytest.raises(Other, match="from the handler"):
            call()
    finally:
        kernels_for(np.float64).set_looks()


def test_other_threads_of_python_look_once_and_hear_nothing():
    case = Case(FORMS[0], lengths=(50,) * 20)
    expected, results = case.forward()[0].tobytes(), []
    with Looks(np.float64) as looks:
        thread = threading.Thread(target=lambda: results.append(case.forward()[0].tobytes()))
        thread.start()
        thread.join()
    assert results == [expected]
    assert looks.count == 1


def test_embedding_after_an_interrupt():
    rng = np.random.default_rng(0)
    X, y = rng.integers(6, size=(50, 9, 1)), rng.integers(2, size=50)
    net = RNNClassifier(4, embedding_dim=3, random_state=0, max_iter=3, tol=1, batch_size=50)
    expected = net.fit(X, y).predict_proba(X).tobytes()
    with Looks(np.float64) as looks:
        assert net.fit(X, y).predict_proba(X).tobytes() == expected
    for moment in moments(looks.count // 4):        # in the first of three epochs
        with Looks(np.float64, moment), pytest.raises(KeyboardInterrupt):
            net.fit(X, y)
        assert net.predict_proba(X).tobytes() == expected
    assert net.fit(X, y).predict_proba(X).tobytes() == expected


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("arrangement", [((4,), False), ((4, 3), True)])
def test_little_memory_changes_no_bit_of_an_embedding(arrangement, n_threads, monkeypatch):
    """The gradient of the inputs is kept of some groups at a time."""
    hidden_size, bidirectional = arrangement
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, size=300)
    net = RecurrentNetwork(6, hidden_size, 2, "gru", "tanh", True, bidirectional, False, n_categories=9)
    theta = net.initialize(rng, np.float64)
    sequences = Sequences(
        np.empty((0, 1)), lengths, "ragged", categories=rng.integers(9, size=lengths.sum()),
        starts=np.cumsum(lengths) - lengths,
    )
    dscores = rng.normal(size=(300, 2))
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
    results, room = [], []
    for max_bytes in (2**40, 2**20, 2**18, 1):
        monkeypatch.setattr(memory, "max_bytes", lambda max_bytes=max_bytes: max_bytes)
        engine = net.engine(np.float64)
        results.append(net.backward(theta, sequences, np.arange(300), dscores, engine=engine).theta.tobytes())
        room.append(engine.memory())
    assert len(set(results)) == 1
    assert room[1] <= 1.05 * 2**20
    assert room[2] <= max(1.05 * 2**18, room[3])       # the least is what one group needs


@pytest.mark.parametrize("pooling", ["mean", "last_mean_max"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_mean_over_more_steps_than_can_be_counted_is_an_error(dtype, pooling):
    case = Case(FORMS[0], pooling=pooling, dtype=dtype)
    engine, most = case.net.engine(dtype), 2.0 ** (np.finfo(dtype).nmant + 1)
    counts = rf"pooling='{pooling}' counts {most:.0f} steps in {np.dtype(dtype)} at most"
    message = rf"{counts}, and a sequence has {most + 2:.0f}"
    case.initial[1, -1] = most - 5
    case.forward()                  # 5 steps more
    case.initial[1, -1] = most - 3
    with pytest.raises(ValueError, match=message):
        case.forward()
    case.initial[1, -1] = most - 1
    case.net.step(engine, case.theta, case.X[:4], case.initial)
    case.initial[1, -1] = most
    with pytest.raises(ValueError, match="counts"):
        case.net.step(engine, case.theta, case.X[:4], case.initial)


@pytest.mark.parametrize("pooling", ["mean", "last_mean_max"])
def test_a_sequence_too_long_for_the_mean_is_named(pooling):
    X = np.zeros((1, 2**24 + 1, 1), np.float32)
    X[0, 0] = 1
    with pytest.raises(ValueError, match=rf"X\[0\] has 16777217 steps, and pooling='{pooling}' counts at most "):
        RNNRegressor(2, pooling=pooling, patch_size=None).fit(X, [1.0])
    net = RNNRegressor(2, pooling=pooling, patch_size=None, max_iter=1, tol=1, random_state=0)
    net.fit(X[:, :5], [1.0])
    with pytest.raises(ValueError, match=r"X\[0\] has 16777217 steps"):
        net.predict(X)


LONG_CALLS = {
    "one sequence": ((1, 3_000_000, 1, 4), {}),
    "targets of steps": ((1, 2_000_000, 1, 4), {"return_sequences": True}),
    "wide": ((64, 150, 4, 512), {}),
    "three groups": ((192, 300, 4, 128), {}),       # for which one of two threads waits
    "both directions": ((96, 500, 4, (64, 64)), {"bidirectional": True}),
    "segments": ((1, 2_000_000, 1, 16), {}),
}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="sends signals by a timer")
@pytest.mark.parametrize(("name", "n_threads"), [
    (name, n_threads) for name, ((n, *_), _) in LONG_CALLS.items()
    for n_threads in ((1, 2) if n > 1 else (1,))        # of a sequence alone the second one has nothing to do
])
def test_signals_are_heard_during_long_calls(name, n_threads, monkeypatch):
    """A handler that raises nothing is called again and again, as long as the call takes, and changes no bit."""
    (n, T, D, K), parameters = LONG_CALLS[name]
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
    if name == "segments":
        monkeypatch.setattr(memory, "max_bytes", lambda: 2**20)
    X = np.random.default_rng(0).normal(size=(n, T, D)).astype(np.float32)
    y = X[..., 0] if "return_sequences" in parameters else X[:, 0, 0]
    net = RNNRegressor(
        K, max_iter=1, random_state=0, **{"cell": "lstm", "pooling": "last", "patch_size": None} | parameters
    )
    expected = np.concatenate(net.fit(X, y).predict(X), axis=None).tobytes()
    heard, before = [], signal.signal(signal.SIGALRM, lambda *_: heard.append(time.process_time()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        again = np.concatenate(net.fit(X, y).predict(X), axis=None).tobytes()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert again == expected
    # seconds of work, as the machine may be busy; without looks there is a gap as long as the gradient takes
    assert np.diff(heard).max() < 0.4 * n_threads


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="sends signals by a timer")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_signals_at_random_times_change_no_bit(n_threads, monkeypatch):
    """A fuzz: calls of all kinds in one engine each, half of them interrupted somewhere."""
    rng = np.random.default_rng()
    monkeypatch.setattr(threads, "threads_for", lambda work: n_threads)
    calls = []
    for form in FORMS:
        for bidirectional, pooling in ((False, "mean"), (True, "max")):
            case = Case(form, (12, 7), bidirectional, lengths=np.resize([200, 70, 5], 40), pooling=pooling)
            calls += [(call, call()) for call in computations(case, case.net.engine(np.float64)).values()]
    start = time.perf_counter()
    for call, _ in calls:
        call()
    longest = 2 * (time.perf_counter() - start) / len(calls)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    interrupted = 0
    kernels_for(np.float64).set_looks(seconds=0, work=5000)
    try:
        for _ in range(200):
            call, expected = calls[rng.integers(len(calls))]
            try:
                signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-5, longest))
                assert call() == expected
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            signal.setitimer(signal.ITIMER_REAL, 0)
            assert call() == expected
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        kernels_for(np.float64).set_looks()
    assert interrupted > 20
