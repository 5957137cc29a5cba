"""A fit to an X in shards: with one of them the bits of a fit to X, with more of them the same but for training."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from same import assert_same, parts_of

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn._estimators.shard import Shard
from skrnn._estimators.sharded_fit import ShardedFitMixin
from skrnn._sklearn import select
from skrnn._training.sharding import LocalShards

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore:.*has learned")
N = 31
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}


class Classifier(ShardedFitMixin, RNNClassifier):
    """Fitted to shards."""


class Regressor(ShardedFitMixin, RNNRegressor):
    """Fitted to shards."""


class Pickled(LocalShards):
    """What goes to shards, and what they answer, goes through a pickle, as between machines; shards may be made anew.

    Parameters
    ----------
    make : list of callables
        Each makes a shard.
    """

    def __init__(self, make):
        super().__init__([one() for one in make])
        self.make, self.told = make, []

    def tell(self, method, *arguments):
        if method == "begin_batch":         # theta is the one that changes
            return super().tell(method, *arguments)
        self.told.append((method, arguments))
        return self.ask(method, *arguments)

    def ask(self, method, *arguments):
        return pickle.loads(pickle.dumps(super().tell(method, *pickle.loads(pickle.dumps(arguments)))))

    def make_anew(self, s):
        self.shards[s] = self.make[s]()
        for method, arguments in self.told:
            getattr(self.shards[s], method)(*(of_each[s] for of_each in arguments))


def partitions(X, sizes):
    n = len(X)
    cuts = np.cumsum([0, *sizes])
    cuts = cuts[cuts < n].tolist() + [n]
    return [select(X, np.arange(first, last)) for first, last in zip(cuts, cuts[1:], strict=False)]


def in_shards(parts, n_shards):
    """The partitions in shards of consecutive ones."""
    groups = np.array_split(np.arange(len(parts)), n_shards)
    return Pickled([lambda own=own: Shard([parts[i] for i in own], int(own[0])) for own in groups])


def lists(X, j):
    return [x[:, j].tolist() for x in X]


rng = np.random.default_rng(0)
X3 = rng.normal(size=(N, 6, 2)) * [1, 20] + [3, 0]
X_RAGGED = [rng.normal(size=(n, 2)) * [3, 1] for n in rng.integers(1, 9, N)]
X_MISSING = [np.where(rng.random(x.shape) < 0.3, np.nan, x) for x in X_RAGGED]
X_TIMED = [np.insert(x, 1, 100 + np.cumsum(rng.integers(0, 9, len(x))) / 4, axis=1) for x in X_MISSING]
STATIC = rng.normal(size=(N, 2)) * [9, 1] + 40
PADDED = X3.copy()
PADDED[5:9, 4:] = np.nan
LETTERS = [list(rng.choice(list("abcdefgh"), len(x))) for x in X_RAGGED]
FRAME = pd.DataFrame({"pulse": lists(X_RAGGED, 0), "drug": LETTERS, "age": STATIC[:, 0], "sex": list("fmm" * 10 + "f")})
FRAME_MISSING = pd.DataFrame({
    "pulse": lists(X_MISSING, 0), "drug": [[None, *cells[1:]] for cells in LETTERS],
    "age": np.where(np.arange(N) % 5, STATIC[:, 0], np.nan), "sex": [None] * 4 + list("fmm" * 9),
})
CODES = [rng.integers(0, 9, len(x)) for x in X_RAGGED]
LABELS, NUMBERS = np.array(["up", "down", "left"])[rng.integers(0, 3, N)], rng.normal(size=N) * 5 + 100
OF_STEPS = [rng.normal(size=len(x)) for x in X_RAGGED]
LABELS_OF_STEPS = [rng.integers(-1, 3, size=len(x)) for x in X_RAGGED]
WEIGHTS = np.where(np.arange(N) % 4, rng.uniform(0.5, 2, N), 0.0)
GROUPS = rng.integers(0, 8, N)

# An estimator, its parameters, X, y, and other arguments of fit
CASES = {
    "array": (Classifier, {}, X3, LABELS, {}),
    "float32": (Regressor, {"dropout": 0.2, "recurrent_dropout": 0.1}, X3.astype(np.float32), NUMBERS, {}),
    "table": (Regressor, {"n_steps": 3}, pd.DataFrame(X3.reshape(N, 12)).add_prefix("c"), NUMBERS, {}),
    "ragged": (Regressor, {"loss": "gaussian"}, X_RAGGED, NUMBERS, {}),
    "weights": (Classifier, {"class_weight": "balanced"}, X_RAGGED, LABELS, {"sample_weight": WEIGHTS}),
    "windows": (Regressor, {"shuffle": False}, RaggedArray(np.arange(80.0) ** 2, [9] * N, np.arange(N) * 2), NUMBERS, {}),
    "padded": (Regressor, {"missing": "ffill"}, PADDED, NUMBERS, {}),
    "padded steps": (
        Regressor, {"missing": "indicator", "return_sequences": True}, PADDED, rng.normal(size=(N, 6)), {},
    ),
    "missing": (Regressor, {"missing": "indicator", "bidirectional": True}, X_MISSING, NUMBERS, {}),
    "times": (Regressor, {"missing": "indicator", "times": 1}, X_TIMED, NUMBERS, {"sample_weight": WEIGHTS}),
    "decay": (Classifier, {"missing": "decay", "times": 1, "cell": "gru"}, X_TIMED, LABELS, {}),
    "own units": (Regressor, {"standardize": "sequence"}, RaggedArray(np.concatenate(X_RAGGED), list(map(len, X_RAGGED))),
                  NUMBERS, {}),
    "own units of targets": (
        Regressor, {"standardize": "sequence", "return_sequences": True, "early_stopping": True},
        [x[:, :1] for x in X_RAGGED], OF_STEPS, {},
    ),
    "as they are": (Classifier, {"standardize": False}, X_RAGGED, LABELS, {}),
    "static": (Regressor, {}, WithStatic(X_RAGGED, STATIC), NUMBERS, {"sample_weight": WEIGHTS}),
    "frame": (Classifier, {"embedding_dim": 2}, FRAME, LABELS, {}),
    "frame, static to the head": (Regressor, {"static_to": "head"}, FRAME, NUMBERS, {"sample_weight": WEIGHTS}),
    "frame, missing": (Classifier, {"missing": "indicator"}, FRAME_MISSING, LABELS, {}),
    "frame of dtypes": (
        Regressor, {}, FRAME.astype({"sex": pd.CategoricalDtype(["x", "m", "f"])}), NUMBERS, {},
    ),
    "named features": (Regressor, {"categorical_features": [1]}, [
        np.column_stack([x[:, 0], codes]) for x, codes in zip(X_RAGGED, CODES, strict=True)
    ], NUMBERS, {"sample_weight": WEIGHTS}),
    "categories": (Classifier, {"embedding_dim": 2}, CODES, LABELS, {}),
    "categories, some unused": (Classifier, {"embedding_dim": 2}, CODES, LABELS, {"sample_weight": WEIGHTS}),
    "categories, announced": (Regressor, {"embedding_dim": 2, "n_categories": 12}, CODES, NUMBERS, {}),
    "labels of steps": (Classifier, {"return_sequences": True}, X_RAGGED, LABELS_OF_STEPS, {}),
    "numbers of steps": (Regressor, {"return_sequences": True, "truncated_bptt_steps": 3}, X_RAGGED, OF_STEPS, {}),
    "stretches": (Regressor, {"truncated_bptt_steps": 3, "dropout": 0.2}, X_RAGGED, NUMBERS, {}),
    "several labels": (Classifier, {}, X3, rng.integers(0, 2, (N, 3)), {}),
    "several classes": (Classifier, {}, X3, rng.integers(0, 3, (N, 2)), {}),
    "several numbers": (Regressor, {"loss": "huber"}, X3, np.where(rng.random((N, 2)) < 0.3, np.nan, X3[:, 0]), {}),
    "quantiles": (Regressor, {"loss": "quantile", "quantile": [0.1, 0.5]}, X3, NUMBERS, {}),
    "patches": (Regressor, {"patch_size": 2, "patch_stride": 1}, X3, NUMBERS, {}),
    "L-BFGS": (Classifier, {"solver": "lbfgs"}, X_RAGGED, LABELS, {"sample_weight": WEIGHTS}),
    "sgd": (Regressor, {"solver": "sgd", "learning_rate": "adaptive", "max_grad_norm": 0.1}, X3, NUMBERS, {}),
    "averaged": (Regressor, {"solver": "adamw", "average": 0.5, "max_iter": 4}, X3, NUMBERS, {}),
    "held out": (Classifier, {"early_stopping": True, "n_iter_no_change": 1}, X_RAGGED, LABELS, {}),
    "held out groups": (Regressor, {"early_stopping": True, "scoring": None}, X_RAGGED, NUMBERS, {"groups": GROUPS}),
    "a scorer": (Classifier, {"early_stopping": True, "scoring": "accuracy", "validation_fraction": 0.3}, X3, LABELS, {}),
    "a scorer of steps": (
        Classifier, {"early_stopping": True, "scoring": "accuracy", "return_sequences": True}, X_RAGGED,
        LABELS_OF_STEPS, {},
    ),
    "X_val": (
        Regressor, {"early_stopping": True}, X_RAGGED, NUMBERS, {"X_val": X_RAGGED[:5], "y_val": NUMBERS[:5]},
    ),
}
ONE_PROCESS = {Classifier: RNNClassifier, Regressor: RNNRegressor}


def fitted_in_one_process(case, **parameters):
    kind, own, X, y, others = CASES[case]
    return ONE_PROCESS[kind](**SMALL | own | parameters).fit(X, y, **others)


def fitted_to(shards, case, **parameters):
    kind, own, _, y, others = CASES[case]
    return kind(**SMALL | own | parameters)._fit_shards(shards, y, **others)


def assert_same_fit(net, one):
    ours, theirs = (
        {name: part for name, part in parts_of(each).items() if name == "_fitted" or name.endswith("_")}
        for each in (net, one)
    )
    assert_same(ours, theirs)


@pytest.mark.parametrize("sizes", [[N], [12, 3, 9]], ids=["one partition", "partitions"])
@pytest.mark.parametrize("case", CASES)
def test_one_shard_is_a_fit_to_the_bit(case, sizes):
    shards = in_shards(partitions(CASES[case][2], sizes), 1)
    assert_same_fit(fitted_to(shards, case), fitted_in_one_process(case))


# Of one batch all shards have the whole part of each
ONE_BATCH = {"batch_size": N, "dropout": 0, "recurrent_dropout": 0, "max_iter": 2}


@pytest.mark.parametrize("case", CASES)
def test_several_shards_learn_the_same_of_X_and_have_the_same_gradient(case):
    shards = in_shards(partitions(CASES[case][2], [0, 9, 2, 11, 0, 4]), 4)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "batch_size=.* is clipped")
        net, one = fitted_to(shards, case, **ONE_BATCH), fitted_in_one_process(case, **ONE_BATCH)
    for part in ("reading", "targets"):
        assert_same(getattr(net._fitted, part), getattr(one._fitted, part), part)
    single = net._fitted.model.dtype == np.float32
    np.testing.assert_allclose(net.loss_curve_, one.loss_curve_, rtol=1e-5 if single else 1e-12)
    np.testing.assert_allclose(net._fitted.model.theta, one._fitted.model.theta, rtol=1e-3, atol=1e-4 if single else 1e-9)
    if net.early_stopping:
        np.testing.assert_allclose(net.validation_scores_, one.validation_scores_, rtol=1e-9)
