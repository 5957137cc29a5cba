"""Generated tasks: what the papers say of them, recomputed from the sequences in plain Python."""

import math

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import (
    make_adding,
    make_copy_memory,
    make_delayed_echo,
    make_hourly_load,
    make_survival,
    make_temporal_order,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TRAINING = {"cell": "gru", "learning_rate_init": 1e-2, "batch_size": 20, "random_state": 0}
GENERATORS = [make_adding, make_copy_memory, make_delayed_echo, make_survival, make_temporal_order]

# Experiments 6a and 6b: the positions of the relevant symbols from 1, and the minimum distance to the end (table 10)
WINDOWS = {2: [(10, 20), (50, 60)], 3: [(10, 20), (33, 43), (66, 76)]}
MIN_LAG = {2: 40, 3: 24}
RULES = {2: "XX XY YX YY", 3: "XXX XXY XYX XYY YXX YXY YYX YYY"}


def assert_uniform(numbers, expected):
    """Each of the expected values is there, and as often as each other within five standard deviations."""
    values, counts = np.unique(numbers, return_counts=True)
    np.testing.assert_array_equal(values, list(expected))
    fraction = 1 / len(values)
    assert abs(counts / counts.sum() - fraction).max() < 5 * math.sqrt(fraction * (1 - fraction) / counts.sum())


def assert_same(a, b):
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


@pytest.mark.parametrize("n_steps", [2, 7, 100])
def test_adding_is_the_sum_of_a_marked_number_of_each_half(n_steps):
    X, y = make_adding(n_samples=500, n_steps=n_steps, random_state=0)
    assert X.shape == (500, n_steps, 2)
    assert X.dtype == y.dtype == np.float64
    for x, total in zip(X.tolist(), y.tolist(), strict=True):
        marked = [step for step, (_, marker) in enumerate(x) if marker == 1]
        assert sum(marker != 0 for _, marker in x) == len(marked) == 2
        assert marked[0] < n_steps // 2 <= marked[1]
        assert all(0 <= number < 1 for number, _ in x)
        assert total == x[marked[0]][0] + x[marked[1]][0]


def test_adding_is_uniform():
    X, y = make_adding(n_samples=20_000, n_steps=10, random_state=0)
    _, marked = np.nonzero(X[:, :, 1])
    assert_uniform(marked[::2], range(5))
    assert_uniform(marked[1::2], range(5, 10))
    assert_uniform(np.floor(10 * X[:, :, 0]), range(10))
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.03)


@pytest.mark.parametrize(("gap", "n_symbols", "alphabet_size"), [(100, 10, 8), (1, 1, 1), (4, 3, 5)])
def test_copy_memory_is_the_paper_s_sequence(gap, n_symbols, alphabet_size):
    X, y = make_copy_memory(50, gap, n_symbols=n_symbols, alphabet_size=alphabet_size, random_state=0)
    assert X.shape == y.shape == (50, gap + 2 * n_symbols)
    assert X.dtype == y.dtype == np.int64
    blank, delimiter = alphabet_size, alphabet_size + 1
    for x, answer in zip(X.tolist(), y.tolist(), strict=True):
        symbols = x[:n_symbols]
        assert all(0 <= symbol < alphabet_size for symbol in symbols)
        assert x[n_symbols:] == [blank] * (gap - 1) + [delimiter] + [blank] * n_symbols
        assert answer == [blank] * (gap + n_symbols) + symbols


def test_copy_memory_is_uniform():
    X, _ = make_copy_memory(5000, 1, random_state=0)
    assert_uniform(X[:, :10], range(8))
    assert_uniform(8 * X[:, 0] + X[:, 9], range(64))


def test_cross_entropy_of_an_answer_without_memory():
    """The minimum cross-entropy of any prediction per step: the entropy of each step."""
    T = 30
    _, y = make_copy_memory(20_000, T, random_state=0)
    fractions = [np.bincount(categories) / len(y) for categories in y.T]
    entropies = [-sum(fraction * math.log(fraction) for fraction in of_step if fraction) for of_step in fractions]
    assert np.mean(entropies) == pytest.approx(10 * math.log(8) / (T + 20), rel=1e-3)


def symbols_of(x):
    return "".join("EBabcdXY"[symbol] for symbol in x)


@pytest.mark.parametrize("n_relevant", [2, 3])
def test_temporal_order_is_the_paper_s(n_relevant):
    X, y = make_temporal_order(n_samples=5000, n_relevant=n_relevant, random_state=0)
    assert isinstance(X, list)
    assert {x.dtype for x in X} == {y.dtype} == {np.dtype(np.int64)}
    all_positions, lags = [], []
    for x, label in zip(X, y, strict=True):
        symbols = symbols_of(x)
        assert symbols[0] == "E"
        assert symbols[-1] == "B"
        positions = [position for position, symbol in enumerate(symbols, start=1) if symbol in "XY"]
        assert len(positions) == n_relevant
        assert set(symbols[1:-1]) <= set("abcdXY")
        assert RULES[n_relevant].split()[label] == "".join(symbols[position - 1] for position in positions)
        all_positions.append(positions)
        lags.append(len(symbols) - positions[-1])
    for positions, (first, last) in zip(zip(*all_positions, strict=True), WINDOWS[n_relevant], strict=True):
        assert_uniform(positions, range(first, last + 1))
    assert_uniform([len(x) for x in X], range(100, 111))
    assert_uniform(y, range(2**n_relevant))
    assert min(lags) == MIN_LAG[n_relevant]


@pytest.mark.parametrize("n_steps", [*range(20, 30), 50, 99, 1000])
@pytest.mark.parametrize("n_relevant", [2, 3])
def test_temporal_order_of_other_lengths(n_relevant, n_steps):
    X, y = make_temporal_order(200, n_steps, n_relevant=n_relevant, random_state=0)
    assert X.shape == (200, n_steps)
    for x, label in zip(X, y, strict=True):
        symbols = symbols_of(x)
        positions = [position for position, symbol in enumerate(symbols, start=1) if symbol in "XY"]
        assert symbols[0] + symbols[-1] == "EB"
        assert RULES[n_relevant].split()[label] == "".join(symbols[position - 1] for position in positions)
        for position, (first, last) in zip(positions, WINDOWS[n_relevant], strict=True):
            assert first * n_steps // 100 <= position <= last * n_steps // 100


def test_distractors_are_uniform():
    X, _ = make_temporal_order(n_samples=500, random_state=0)
    symbols = np.concatenate(X)
    assert_uniform(symbols[(symbols > 1) & (symbols < 6)], [2, 3, 4, 5])


@pytest.mark.parametrize(
    ("make", "parameters", "n_categories"),
    [
        (make_copy_memory, {"gap": 5}, 10),
        (make_copy_memory, {"gap": 5, "alphabet_size": 2}, 4),
        (make_temporal_order, {}, 8),
        (make_temporal_order, {"n_steps": 25}, 8),
    ],
)
def test_one_hot(make, parameters, n_categories):
    X_categories, y = make(20, random_state=0, **parameters)
    X, y_too = make(20, random_state=0, one_hot=True, **parameters)
    np.testing.assert_array_equal(y, y_too)
    assert type(X) is type(X_categories)
    for x, categories in zip(X, X_categories, strict=True):
        assert x.shape == (len(categories), n_categories)
        assert x.dtype == np.float64
        assert x.tolist() == [[float(i == category) for i in range(n_categories)] for category in categories]


@pytest.mark.parametrize("n_steps", [6, 50, (6, 9), [30, 30]])
@pytest.mark.parametrize(("values", "none", "dtype"), [("real", None, np.float64), ("binary", -1, np.int64)])
def test_echo_repeats_the_input(n_steps, values, none, dtype):
    X, y = make_delayed_echo(30, n_steps, delay=5, values=values, random_state=0)
    for x, echo in zip(X, y, strict=True):
        assert x.shape == (len(echo), 1)
        assert x.dtype == np.float64
        assert echo.dtype == dtype
        repeated = [None if np.isnan(value) else value for value in echo.tolist()]
        assert repeated == [none] * 5 + [value for (value,) in x.tolist()[: len(x) - 5]]


def test_forms_of_echoes():
    X, y = make_delayed_echo(30, 40, random_state=0)
    assert X.shape == (30, 40, 1)
    assert y.shape == (30, 40)
    X, y = make_delayed_echo(3000, (20, 22), random_state=0)
    assert isinstance(X, list)
    assert isinstance(y, list)
    assert_uniform([len(x) for x in X], [20, 21, 22])


def test_inputs_of_echoes_are_uniform_and_independent():
    X, y = make_delayed_echo(2000, 20, random_state=0)
    assert_uniform(np.floor(10 * X), range(-5, 5))
    assert np.nanmean(y**2) == pytest.approx(1 / 12, rel=0.03)
    X, _ = make_delayed_echo(2000, 20, values="binary", random_state=0)
    assert_uniform(X, [0, 1])
    assert_uniform(2 * X[:, 1:] + X[:, :-1], [0, 1, 2, 3])


@pytest.mark.parametrize("make", GENERATORS)
def test_same_random_state_same_data(make):
    np.random.seed(1)    # noqa: NPY002 - the global state must not matter
    X, y = make(n_samples=30, random_state=3)
    np.random.seed(2)    # noqa: NPY002
    before = np.random.get_state()[1].tolist()    # noqa: NPY002
    for same in (3, np.random.RandomState(3)):
        X_too, y_too = make(n_samples=30, random_state=same)
        assert_same(X, X_too)
        assert_same(y, y_too)
    assert np.random.get_state()[1].tolist() == before    # noqa: NPY002
    X_other, _ = make(n_samples=30, random_state=4)
    assert not all(np.array_equal(x, other) for x, other in zip(X, X_other, strict=True))


def test_survival_is_the_distribution_that_is_stated():
    """The level and its fluctuation from the sequences, survival by the formula, without what is censored before."""
    X, y = make_survival(4000, 200, random_state=0)
    level = X[:, :, 0].mean(axis=1)
    u = X[:, :, 0] - level[:, np.newaxis]
    phi = (u[:, 1:] * u[:, :-1]).mean(axis=1) / (u**2).mean(axis=1)
    assert u.var() == pytest.approx(1, rel=0.1)
    assert (phi.min(), phi.max()) == pytest.approx((-0.9, 0.9), abs=0.1)
    # the time of censoring is uniform in [0, 300)
    for t in (20, 60, 150):
        survival = np.exp(-((t * np.exp(0.7 * level + 2 * phi) / 100) ** 1.5))
        assert (y["time"] > t).mean() == pytest.approx(survival.mean() * (1 - t / 300), abs=0.02)
    assert y["event"].mean() == pytest.approx(0.62, abs=0.02)


@pytest.mark.parametrize("make", GENERATORS)
def test_more_samples_begin_with_the_same_ones(make):
    X, y = make(n_samples=50, random_state=0)
    X_few, y_few = make(n_samples=20, random_state=0)
    assert_same(X[:20], X_few)
    assert_same(y[:20], y_few)


@pytest.mark.parametrize("make", GENERATORS)
def test_a_generator_goes_on(make):
    state = np.random.RandomState(0)
    (X, _), (X_next, _) = (make(n_samples=5, random_state=state) for _ in range(2))
    assert not any(np.array_equal(x, other) for x, other in zip(X, X_next, strict=True))


@pytest.mark.parametrize(
    ("make", "parameters", "message"),
    [
        (make_adding, {"n_samples": 0}, "'n_samples' parameter of make_adding"),
        (make_adding, {"n_steps": 1}, "'n_steps' parameter of make_adding"),
        (make_adding, {"n_steps": (50, 55)}, "'n_steps' parameter of make_adding"),
        (make_adding, {"random_state": "0"}, "'random_state' parameter of make_adding"),
        (make_copy_memory, {"n_samples": 0}, "'n_samples' parameter of make_copy_memory"),
        (make_copy_memory, {"gap": 0}, "'gap' parameter of make_copy_memory"),
        (make_copy_memory, {"n_symbols": 0}, "'n_symbols' parameter of make_copy_memory"),
        (make_copy_memory, {"alphabet_size": 0}, "'alphabet_size' parameter of make_copy_memory"),
        (make_copy_memory, {"one_hot": "yes"}, "'one_hot' parameter of make_copy_memory"),
        (make_temporal_order, {"n_samples": 0}, "'n_samples' parameter of make_temporal_order"),
        (make_temporal_order, {"n_relevant": 4}, "'n_relevant' parameter of make_temporal_order"),
        (make_temporal_order, {"n_steps": 100.0}, "'n_steps' parameter of make_temporal_order"),
        (make_temporal_order, {"n_steps": 19}, r"n_steps=19 is too short: expected at least 20 steps"),
        (make_temporal_order, {"n_steps": (19, 30)}, r"n_steps=\(19, 30\) is too short: expected at least 20 steps"),
        (make_temporal_order, {"n_steps": (30, 20)}, r"n_steps=\(30, 20\): expected the length .* in this order"),
        (make_temporal_order, {"n_steps": (30, 40, 50)}, r"n_steps=\(30, 40, 50\): expected the length"),
        (make_temporal_order, {"n_steps": (30, 40.0)}, r"n_steps=\(30, 40.0\): expected the length"),
        (make_temporal_order, {"one_hot": 3}, "'one_hot' parameter of make_temporal_order"),
        (make_delayed_echo, {"n_samples": 0}, "'n_samples' parameter of make_delayed_echo"),
        (make_delayed_echo, {"delay": 0}, "'delay' parameter of make_delayed_echo"),
        (make_delayed_echo, {"values": "normal"}, "'values' parameter of make_delayed_echo"),
        (make_delayed_echo, {"n_steps": 5}, "n_steps=5 is too short: expected at least 6 steps, more than delay=5"),
        (make_delayed_echo, {"n_steps": (3, 9), "delay": 3}, "expected at least 4 steps, more than delay=3"),
        (make_delayed_echo, {"n_steps": [9]}, r"n_steps=\[9\]: expected the length"),
        (make_survival, {"n_samples": 0}, "'n_samples' parameter of make_survival"),
        (make_survival, {"n_steps": 1}, "n_steps=1 is too short: expected at least 2 steps"),
    ],
)
def test_bad_parameters(make, parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters)


def test_learning_an_echo_of_real_values():
    X, y = make_delayed_echo(300, (20, 40), delay=3, random_state=0)
    net = RNNRegressor(16, return_sequences=True, max_iter=40, **TRAINING).fit(X[:200], y[:200])
    assert net.score(X[200:], y[200:]) > 0.98


def test_learning_an_echo_of_binary_values():
    X, y = make_delayed_echo(300, 20, delay=3, values="binary", random_state=0)
    net = RNNClassifier(16, return_sequences=True, max_iter=30, **TRAINING).fit(X[:200], y[:200])
    assert list(net.classes_) == [0, 1]
    assert net.score(X[200:], y[200:]) > 0.98


@pytest.mark.parametrize("one_hot", [False, True])
def test_learning_to_copy(one_hot):
    X, y = make_copy_memory(500, 3, n_symbols=2, alphabet_size=4, one_hot=one_hot, random_state=0)
    embedding_dim = None if one_hot else 6
    net = RNNClassifier(24, return_sequences=True, embedding_dim=embedding_dim, max_iter=30, **TRAINING)
    net.fit(X[:400], y[:400])
    assert net.score(X[400:], y[400:]) > 0.98
    assert net.loss_ < 0.1 * 2 * math.log(4) / (3 + 4)    # of an answer without memory


@pytest.mark.parametrize("one_hot", [False, True])
def test_learning_the_temporal_order(one_hot):
    X, y = make_temporal_order(800, (20, 22), one_hot=one_hot, random_state=0)
    net = RNNClassifier(16, embedding_dim=None if one_hot else 6, max_iter=30, **TRAINING).fit(X[:600], y[:600])
    assert net.score(X[600:], y[600:]) > 0.95


@pytest.mark.parametrize(
    ("make", "small"),
    [
        (lambda kind: make_adding(kind(2), kind(127), random_state=0), np.int8),
        (lambda kind: make_copy_memory(kind(2), kind(250), alphabet_size=kind(255), random_state=0), np.uint8),
        (lambda kind: make_temporal_order(kind(20), kind(100), random_state=0), np.int8),
        (lambda kind: make_delayed_echo(kind(2), 300, delay=kind(255), random_state=0), np.uint8),
    ],
    ids=["adding", "copy", "order", "echo"],
)
def test_integers_of_few_bits(make, small):
    for one, other in zip(make(small), make(int), strict=True):
        np.testing.assert_array_equal(one, other)


class TestHourlyLoad:
    def test_it_is_what_the_equations_say(self):
        """All but the two autoregressions, whose deviations and correlations are those stated."""
        data = make_hourly_load(2000, random_state=0)
        day, hour = np.divmod(np.arange(len(data.load)), 24)
        assert str(data.time[25]) == "2023-01-02T01:00:00"
        seasons = 11 - 10 * np.cos(2 * np.pi * (day - 20) / 365) - 4 * np.cos(2 * np.pi * (hour - 3) / 24)
        felt, felt_now = np.empty(len(hour)), data.temperature[0]
        for i, temperature in enumerate(data.temperature):
            felt_now += (temperature - felt_now) / 12
            felt[i] = felt_now
        # Monday is the second day
        free = np.isin(day % 7, (0, 6)) | (data.holiday == 1)
        peaks = {False: ((8.5, 1.8, 20), (13, 3, 14), (19, 2.2, 24)), True: ((11, 2.5, 12), (20, 2.5, 16))}
        curve = [
            sum(a * np.exp(-((min(abs(h - c), 24 - abs(h - c)) / s) ** 2) / 2) for c, s, a in peaks[is_free])
            for h, is_free in zip(hour, free.tolist(), strict=True)
        ]
        heating = 1.3 * np.maximum(0, 15 - felt) + np.where(free, 2, 3) * np.maximum(0, felt - 21)
        for rest, phi, deviation in (
            (data.temperature - seasons, 0.985, 4), (data.load - 60 - curve - heating, 0.9, 2),
        ):
            assert np.std(rest) == pytest.approx(deviation, rel=0.1)
            shocks = rest[1:] - phi * rest[:-1]
            assert np.std(shocks) == pytest.approx(deviation * np.sqrt(1 - phi**2), rel=0.02)
            assert abs(np.corrcoef(shocks[1:], shocks[:-1])[0, 1]) < 0.02
        of_days = data.holiday.reshape(-1, 24)
        assert (of_days == of_days[:, :1]).all()
        assert of_days[:, 0].mean() == pytest.approx(1 / 30, rel=0.25)

    def test_it_is_reproducible_and_comes_as_a_frame(self):
        data, again = make_hourly_load(3, random_state=1), make_hourly_load(3, as_frame=True, random_state=1)
        assert list(again.frame.columns) == ["time", "load", "temperature", "holiday"]
        for name in again.frame:
            np.testing.assert_array_equal(data[name], again.frame[name])
        assert not np.array_equal(data.load, make_hourly_load(3, random_state=2).load)
        with pytest.raises(ValueError, match="'n_days' parameter of make_hourly_load"):
            make_hourly_load(0)
