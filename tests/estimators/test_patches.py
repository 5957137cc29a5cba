"""Estimators that read patches of steps, beside ones that read the same patches put together by hand."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import reference
from forms import OnDisk
from sklearn.base import clone

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data.missing import without_gaps
from skrnn._data.sequences import Sequences
from skrnn._estimators.patches import AUTOMATIC_SIZES

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]

LENGTHS = (4, 1, 5, 2, 11, 8, 3, 20, 7, 6, 9, 4)
SIZES = [(4, 2), (3, 3), (5, 1), (2, 1)]


def data(dtype=np.float64, missing=False):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(T, 2)).astype(dtype) for T in LENGTHS]
    if missing:
        for x in X:
            x[rng.random(x.shape) < 0.3] = np.nan
    return X, rng.normal(size=len(X))


def by_hand(X, patch, missing="error"):
    """The patches of sequences, which a net reads as single steps."""
    if missing != "error":
        lengths = np.array([len(x) for x in X])
        filled = without_gaps(Sequences(np.concatenate(X), lengths, "ragged"), missing)
        X = [filled.values[start : start + n] for start, n in zip(filled.starts, lengths, strict=True)]
    return [reference.patches(x, *patch) for x in X]


def theta(net):
    return net._fitted.model.theta.tobytes()


def predicted(net, X):
    predict = net.predict_proba if isinstance(net, RNNClassifier) else net.predict
    return predict(X).tobytes()


SETTINGS = {
    "default": {}, "last": {"pooling": "last"}, "both ways": {"bidirectional": True, "hidden_size": (3, 4)},
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max", "cell": "gru"}, "L-BFGS": {"solver": "lbfgs"}, "sgd": {"solver": "sgd"},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.3}, "stretches": {"truncated_bptt_steps": 2},
    "recurrent dropout": {"recurrent_dropout": 0.4}, "small batches": {"batch_size": 3},
    "last value": {"missing": "ffill"}, "indicator": {"missing": "indicator"},
    "stretches, indicator": {"truncated_bptt_steps": 1, "missing": "indicator", "pooling": "mean"},
}


class TestFit:
    @pytest.mark.parametrize("settings", SETTINGS)
    @pytest.mark.parametrize("patch", SIZES)
    @pytest.mark.parametrize("estimator", [RNNClassifier, RNNRegressor])
    def test_bits_are_those_of_patches_put_together_by_hand(self, settings, patch, estimator):
        """In the units that steps have: patches by hand have more features, and units of their own."""
        settings = {"hidden_size": 4, "max_iter": 3, "random_state": 0, "standardize": False} | SETTINGS[settings]
        missing = settings.get("missing", "error")
        dtype = np.float32 if patch == (4, 2) else np.float64
        X, y = data(dtype, missing != "error")
        y = y > 0 if estimator is RNNClassifier else y
        weights = np.arange(len(X)) % 4 + 0.5
        net = estimator(patch_size=patch[0], patch_stride=patch[1], **settings).fit(X, y, sample_weight=weights)
        parts = by_hand(X, patch, missing)
        plain = estimator(**settings | {"missing": "error"}).fit(parts, y, sample_weight=weights)
        assert theta(net) == theta(plain)
        assert predicted(net, X) == predicted(plain, parts)
        assert net.transform(X).tobytes() == plain.transform(parts).tobytes()
        assert net.score(X, y) == plain.score(parts, y)

    @pytest.mark.parametrize("dropout", [0.0, 0.4])
    def test_containers_have_the_same_bits(self, dropout, tmp_path):
        """A list, windows of an array, a memory-mapped one and what is read on demand; the masks of dropout, too."""
        X, y = data()
        settings = {"patch_size": 4, "dropout": dropout, "max_iter": 3, "random_state": 0, "truncated_bptt_steps": 3}
        net = RNNRegressor(4, **settings).fit(X, y)
        np.save(tmp_path / "X.npy", np.concatenate(X))
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        starts = np.cumsum(LENGTHS) - LENGTHS
        for other in (RaggedArray(mapped, np.array(LENGTHS), starts=starts), OnDisk(X)):
            again = RNNRegressor(4, **settings).fit(other, y)
            assert theta(again) == theta(net)
            assert predicted(again, other) == predicted(net, X)

    def test_tables_are_split_into_steps_first(self):
        X = np.random.default_rng(0).normal(size=(20, 12))
        settings = {"patch_size": 3, "patch_stride": 1, "max_iter": 2, "random_state": 0}
        for n_steps in (None, 6):
            table = RNNRegressor(4, n_steps=n_steps, **settings).fit(X, X[:, 0])
            steps = X.reshape(20, n_steps or 12, -1)
            assert theta(table) == theta(RNNRegressor(4, **settings).fit(steps, X[:, 0]))
            assert predicted(table, X) == predicted(table, steps)

    def test_padding_is_no_step(self):
        X, y = data()
        padded = np.full((len(X), max(LENGTHS), 2), np.nan)
        for i, x in enumerate(X):
            padded[i, : len(x)] = x
        settings = {"patch_size": 4, "missing": "ffill", "max_iter": 2, "random_state": 0}
        net = RNNRegressor(4, **settings).fit(padded, y)
        assert theta(net) == theta(RNNRegressor(4, **settings).fit(X, y))
        assert predicted(net, padded) == predicted(net, X)

    def test_one_step_is_no_patch(self):
        X, y = data()
        settings = {"cell": "lstm", "pooling": "last", "max_iter": 2, "random_state": 0}
        nets = [
            RNNRegressor(4, patch_size=size, patch_stride=stride, **settings).fit(X, y)
            for size, stride in ((None, None), (1, None), (1, 1), (1, "auto"), ("auto", None))
        ]
        assert len({theta(net) for net in nets}) == 1
        assert all((net.patch_size_, net.patch_stride_) == (1, 1) for net in nets)
        assert all(net.initial_state().shape == (1, 8) for net in nets)


class TestSizes:
    @pytest.mark.parametrize(("n_steps", "size"), AUTOMATIC_SIZES)
    @pytest.mark.parametrize("stride", [None, "auto"])
    def test_auto_is_by_the_typical_length(self, n_steps, size, stride):
        below = max((s for n, s in AUTOMATIC_SIZES if n < n_steps), default=1)
        for typical, expected in ((n_steps, size), (n_steps - 1, below)):
            X = [np.arange(T)[:, np.newaxis] for T in (1, typical, typical, typical, 5 * n_steps)]
            net = RNNRegressor(2, patch_size="auto", patch_stride=stride, max_iter=1).fit(X, np.arange(5.0))
            assert (net.patch_size_, net.patch_stride_) == (expected, max(1, expected // 2))

    def test_sequences_without_weight_do_not_count(self):
        X = [np.arange(T)[:, np.newaxis] for T in (5, 6, 200, 200, 200)]
        net = RNNRegressor(2, patch_size="auto", max_iter=1).fit(X, np.arange(5.0), sample_weight=[1, 1, 0, 0, 0])
        assert net.patch_size_ == 1

    @pytest.mark.parametrize("other", [{"return_sequences": True}, {"embedding_dim": 2}])
    def test_auto_is_off_where_patches_are_not(self, other):
        X, y = np.arange(400.0).reshape(4, 100, 1) % 3, np.arange(400.0).reshape(4, 100)
        net = RNNRegressor(2, patch_size="auto", max_iter=1, **other)
        assert net.fit(X, y if "return_sequences" in other else y[:, 0]).patch_size_ == 1

    def test_a_size_without_a_stride_is_read_every_half_of_it(self):
        X, y = data()
        for size, stride in ((2, 1), (5, 2), (8, 4)):
            net = RNNRegressor(2, cell="lstm", patch_size=size, max_iter=1).fit(X, y)
            assert (net.patch_size_, net.patch_stride_) == (size, stride)
            assert net.parameters_["layer0.W"].shape == (2 * size, 8)

    @pytest.mark.parametrize("how", ["warm_start", "partial_fit"])
    def test_the_first_fit_decides(self, how):
        rng = np.random.default_rng(0)
        n_steps, size = AUTOMATIC_SIZES[0]
        long, short, y = rng.normal(size=(6, n_steps, 1)), rng.normal(size=(6, 5, 1)), np.arange(6.0)
        net = RNNRegressor(2, patch_size="auto", max_iter=1, warm_start=True, random_state=0)
        fit = net.fit if how == "warm_start" else net.partial_fit
        fit(long, y)
        fit(short, y)
        assert (net.patch_size_, net.patch_stride_) == (size, size // 2)
        before = theta(net)
        message = rf"cannot continue with patch_size=.* reads patches of {size} steps, every {size // 2}"
        for other in ({"patch_size": size - 1}, {"patch_size": None}, {"patch_size": size, "patch_stride": 3}):
            net.set_params(**{"patch_stride": None} | other)
            with pytest.raises(ValueError, match=message):
                fit(long, y)
        net.set_params(patch_size="auto", patch_stride=None, return_sequences=True)
        with pytest.raises(ValueError, match=message):
            fit(long, rng.normal(size=(6, n_steps)))
        assert theta(net) == before
        net.set_params(patch_size=size, return_sequences=False)
        fit(long, y)
        assert theta(net) != before

    def test_single_steps_stay_single(self):
        X, y = np.random.default_rng(0).normal(size=(6, 60, 1)), np.arange(6.0)
        net = RNNRegressor(2, patch_size=None, max_iter=1, warm_start=True).fit(X, y)
        with pytest.raises(ValueError, match=r"cannot continue with patch_size=4 .* reads single steps"):
            net.set_params(patch_size=4).fit(X, y)
        assert net.set_params(patch_size="auto").fit(X, y).patch_size_ == 1

    def test_longer_than_all_sequences(self):
        X, y = data()
        net = RNNRegressor(2, patch_size=50, max_iter=2, random_state=0).fit(X, y)
        assert predicted(net, X) == np.concatenate([net.predict([x]) for x in X]).tobytes()

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"patch_size": None, "patch_stride": 2}, r"patch_stride=2 is for .* given size, but patch_size=None"),
            ({"patch_size": "auto", "patch_stride": 2}, r"patch_stride=2 is for .* patch_size='auto'"),
            ({"patch_size": 4, "patch_stride": 5}, r"patch_stride=5 is more than patch_size=4"),
            ({"patch_size": 4, "return_sequences": True}, r"patch_size=4 does not go with return_sequences=True"),
            ({"patch_size": 1, "return_sequences": True}, r"patch_size=1 does not go with return_sequences=True"),
            ({"patch_size": 0}, r"'patch_size' parameter of RNNRegressor must be"),
            ({"patch_size": 2.0}, r"'patch_size' parameter of RNNRegressor must be"),
            ({"patch_size": 4, "patch_stride": 0}, r"'patch_stride' parameter of RNNRegressor must be"),
            ({"patch_size": 10**25}, r"does not fit into memory"),
        ],
    )
    def test_what_does_not_go_together(self, parameters, message):
        X, y = data()
        with pytest.raises((ValueError, TypeError), match=message):
            RNNRegressor(2, **parameters).fit(X, y)

    def test_not_of_steps_that_are_categories(self):
        with pytest.raises(ValueError, match="patch_size=4 is for numbers, but with embedding_dim"):
            RNNRegressor(2, patch_size=4, embedding_dim=2).fit(np.array([[0, 1], [2, 0]]), [0.0, 1.0])


def random_pieces(n, rng):
    """Bounds of pieces of 1 to n steps."""
    cuts = np.flatnonzero(rng.random(n - 1) < rng.choice([0.1, 0.5, 1])) + 1
    return [0, *cuts.tolist(), n]


STREAMS = {
    "default": {}, "last": {"pooling": "last"}, "mean": {"pooling": "mean"}, "max": {"pooling": "max", "cell": "gru"},
    "ffill": {"missing": "ffill", "pooling": "max"}, "indicator": {"missing": "indicator", "hidden_size": (4, 3)},
}


class TestStreams:
    @pytest.mark.parametrize("settings", STREAMS)
    @pytest.mark.parametrize("patch", [*SIZES, (6, 4)])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_every_prefix_has_the_bits_of_predict(self, settings, patch, dtype):
        """In steps, and in pieces of any sizes."""
        missing = "missing" in STREAMS[settings]
        X, y = data(dtype, missing)
        settings = {"hidden_size": 4, "max_iter": 2, "random_state": 0} | STREAMS[settings]
        net = RNNRegressor(patch_size=patch[0], patch_stride=patch[1], **settings).fit(X, y)
        rng, x = np.random.default_rng(1), X[7]
        expected = [net.predict([x[: t + 1]])[0] for t in range(len(x))]
        state, states = None, []
        for t in range(len(x)):
            y_t, state = net.predict_step(x[t], state)
            states.append(state)
            assert y_t == expected[t]
        for _ in range(8):
            state, bounds = None, random_pieces(len(x), rng)
            for begin, end in pairwise(bounds):
                y_t, state = net.predict([x[begin:end]], initial_state=state, return_state=True)
                assert y_t[0] == expected[end - 1]
                assert state.tobytes() == states[end - 1].tobytes()

    @pytest.mark.parametrize("settings", STREAMS)
    @pytest.mark.parametrize("patch", SIZES)
    def test_streams_at_different_counts_in_one_call(self, settings, patch):
        missing = "missing" in STREAMS[settings]
        X, y = data(missing=missing)
        settings = {"hidden_size": 4, "max_iter": 2, "random_state": 0} | STREAMS[settings]
        net = RNNClassifier(patch_size=patch[0], patch_stride=patch[1], **settings).fit(X, y > 0)
        _, state = net.predict(X, return_state=True)
        rest, _ = data(missing=missing)
        rest = rest[::-1]
        whole = net.predict_proba([np.concatenate([x, r]) for x, r in zip(X, rest, strict=True)])
        p, after = net.predict_proba(rest, initial_state=state, return_state=True)
        assert p.tobytes() == whole.tobytes()
        p, state = net.predict_proba_step(np.stack([r[0] for r in rest]), state)
        longer = [i for i, r in enumerate(rest) if len(r) > 1]
        assert np.delete(p, longer, axis=0).tobytes() == np.delete(whole, longer, axis=0).tobytes()
        p, again = net.predict_proba([rest[i][1:] for i in longer], initial_state=state[longer], return_state=True)
        assert p.tobytes() == whole[longer].tobytes()
        assert again.tobytes() == after[longer].tobytes()

    @pytest.mark.parametrize(("count", "shown"), [(4, "4.0"), (-1, "-1.0"), (1.5, "1.5"), (1e30, "1e[+]30")])
    def test_a_number_of_steps_that_no_patch_lacks(self, count, shown):
        X, y = data()
        net = RNNRegressor(4, cell="lstm", pooling="last", patch_size=4, max_iter=1).fit(X, y)
        state = net.initial_state(2)
        assert state.shape == (2, 8 + 3 * 2 + 1)
        state[1, -1] = count
        for name, call in (
            ("initial_state", lambda: net.predict(X[:2], initial_state=state)),
            ("state", lambda: net.predict_step(np.zeros((2, 2)), state)),
        ):
            with pytest.raises(ValueError, match=rf"^{name}\[1, 14\] is {shown}, expected .* from 0 to 3"):
                call()

    @pytest.mark.parametrize("column", [0, 8, 13, 14])
    def test_states_are_finite(self, column):
        X, y = data()
        net = RNNRegressor(4, cell="lstm", pooling="last", patch_size=4, max_iter=1).fit(X, y)
        state = net.initial_state()
        state[0, column] = np.nan
        with pytest.raises(ValueError, match=rf"^state\[0, {column}\] is nan, expected a finite number"):
            net.predict_step(np.zeros(2), state)

    @pytest.mark.parametrize("missing", ["error", "ffill"])
    def test_an_output_that_is_not_finite_is_named(self, missing):
        X, y = data()
        net = RNNRegressor(3, cell="rnn", activation="identity", patch_size=3, missing=missing, max_iter=1).fit(X, y)
        net.set_parameters({"head.V": np.full((9, 1), 1e300)})
        with pytest.raises(ValueError, match=r"^The net's output for x\[1\] is not finite"):
            net.predict_step(np.array([[0, 0], [1e100, 1]]), net.initial_state(2))
        X = [np.zeros((5, 2)), np.full((2, 2), 1e100)]
        with pytest.raises(ValueError, match=r"^The net's output for X\[1\] is not finite"):
            net.predict(X, return_state=True)

    def test_pieces_that_are_read_on_demand(self):
        X, y = data()
        net = RNNRegressor(4, patch_size=4, max_iter=1, random_state=0).fit(X, y)
        whole, state = net.predict(X, return_state=True)
        again, state_again = net.predict(OnDisk(X), return_state=True)
        assert (again.tobytes(), state_again.tobytes()) == (whole.tobytes(), state.tobytes())


def test_pickles_and_clones():
    X, y = data()
    net = RNNRegressor(4, patch_size=5, patch_stride=3, max_iter=1, random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(net))
    assert predicted(again, X) == predicted(net, X)
    assert again.predict_step(X[0][0], None)[1].tobytes() == net.predict_step(X[0][0], None)[1].tobytes()
    assert theta(clone(net).fit(X, y)) == theta(net)


def test_what_was_set_after_fit_changes_nothing():
    X, y = data()
    net = RNNRegressor(4, patch_size=5, max_iter=1, random_state=0).fit(X, y)
    before = predicted(net, X)
    assert predicted(net.set_params(patch_size=None), X) == before
    assert (net.patch_size_, net.patch_stride_) == (5, 2)
