"""A fit to an X in shards: with one of them the bits of a fit to X, with more of them the same but for training."""

import pickle
import warnings
import weakref
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from forms import OnDisk
from same import assert_same, parts_of

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn._data.first_reading import FirstReading
from skrnn._data.merging import merged_mixed
from skrnn._estimators.shard import Later, Shard
from skrnn._estimators.sharded_fit import ShardedFitMixin
from skrnn._sklearn import select
from skrnn._training.loop import GradientsLost
from skrnn._training.sharding import LocalShards
from skrnn._training.watching import NOTHING
from skrnn.exceptions import ConstantFeatureWarning, NothingLearnedWarning

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:.*has learned", "ignore:features? 1(, 3)? of X",
    "ignore:feature 3 of X is missing",
)
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
    cuts = [*cuts[cuts < n].tolist(), n]
    return [select(X, np.arange(first, last)) for first, last in pairwise(cuts)]


def in_shards(parts, n_shards, kind=Pickled):
    """The partitions in shards of consecutive ones."""
    groups = np.array_split(np.arange(len(parts)), n_shards)
    return kind([lambda own=own: Shard([parts[i] for i in own], int(own[0])) for own in groups])


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
WINDOWS = RaggedArray(np.arange(80.0) ** 2, [9] * N, np.arange(N) * 2)
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
    "windows": (Regressor, {"shuffle": False}, WINDOWS, NUMBERS, {}),
    "padded": (Regressor, {"missing": "ffill"}, PADDED, NUMBERS, {}),
    "padded steps": (
        Regressor, {"missing": "indicator", "return_sequences": True}, PADDED, rng.normal(size=(N, 6)), {},
    ),
    "missing": (Regressor, {"missing": "indicator", "bidirectional": True}, X_MISSING, NUMBERS, {}),
    "times": (Regressor, {"missing": "indicator", "times": 1}, X_TIMED, NUMBERS, {"sample_weight": WEIGHTS}),
    "decay": (Classifier, {"missing": "decay", "times": 1, "cell": "gru"}, X_TIMED, LABELS, {}),
    "own units": (Regressor, {"standardize": "sequence"}, X_RAGGED, NUMBERS, {}),
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
    "extreme numbers": (Regressor, {"missing": "ffill"}, X3[:, :, :1] * [1e200, 0, 1e-160, np.nan, 1], NUMBERS, {}),
    "L-BFGS": (Classifier, {"solver": "lbfgs"}, X_RAGGED, LABELS, {"sample_weight": WEIGHTS}),
    "sgd": (Regressor, {"solver": "sgd", "learning_rate": "adaptive", "max_grad_norm": 0.1}, X3, NUMBERS, {}),
    "averaged": (Regressor, {"solver": "adamw", "average": 0.5, "max_iter": 4}, X3, NUMBERS, {}),
    "held out": (Classifier, {"early_stopping": True, "n_iter_no_change": 1}, X_RAGGED, LABELS, {}),
    "held out groups": (Regressor, {"early_stopping": True, "scoring": None}, X_RAGGED, NUMBERS, {"groups": GROUPS}),
    "a scorer": (Classifier, {"early_stopping": True, "scoring": "accuracy"}, X3, LABELS, {}),
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


def assert_close_fit(net, one):
    rtol, atol = (1e-5, 1e-4) if net._fitted.model.dtype == np.float32 else (1e-12, 1e-9)
    np.testing.assert_allclose(net.loss_curve_, one.loss_curve_, rtol=rtol)
    np.testing.assert_allclose(net._fitted.model.theta, one._fitted.model.theta, rtol=1e-3, atol=atol)


@pytest.mark.parametrize(("case", "sizes"), [
    *((case, [12, 3, 9]) for case in CASES), *((case, [N]) for case in ("array", "ragged", "static", "frame, missing")),
])
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
    assert_close_fit(net, one)
    if net.early_stopping:
        np.testing.assert_allclose(net.validation_scores_, one.validation_scores_, rtol=1e-9)


@pytest.mark.parametrize("n_shards", [1, 3])
def test_warm_start(n_shards):
    nets = []
    for kind in (Classifier, RNNClassifier):
        net = kind(3, batch_size=N, max_iter=2, warm_start=True, random_state=0)
        for X, y in ((X_MISSING, LABELS), (X_MISSING[::-1], LABELS[::-1])):
            shards = in_shards(partitions(X, [9, 8]), n_shards)
            nets.append(net.set_params(missing="indicator"))
            net = net._fit_shards(shards, y) if kind is Classifier else net.fit(X, y)
    ours, theirs = nets[1], nets[-1]
    assert ours.n_iter_ == 4
    if n_shards == 1:
        assert_same_fit(ours, theirs)
    else:
        assert_close_fit(ours, theirs)


class ReadOnDemand:
    """Makes of the partitions of a list what is read on demand."""

    @staticmethod
    def mapped(part, path):
        path = path / f"{id(part)}.npy"
        np.save(path, np.concatenate(part))
        return RaggedArray(np.load(path, mmap_mode="r"), list(map(len, part)))

    @staticmethod
    def items(part, path):
        return OnDisk(part)


@pytest.mark.parametrize("form", ["mapped", "items"])
@pytest.mark.parametrize("parameters", [{"missing": "indicator"}, {"missing": "ffill", "solver": "lbfgs"}])
@pytest.mark.parametrize("mixed", [False, True])
def test_partitions_that_are_read_on_demand(form, parameters, mixed, tmp_path):
    parts = partitions(X_MISSING, [9, 5, 10])
    read = [part if mixed and i % 2 else getattr(ReadOnDemand, form)(part, tmp_path) for i, part in enumerate(parts)]
    one = RNNRegressor(**SMALL | parameters).fit(X_MISSING, NUMBERS)
    assert_same_fit(Regressor(**SMALL | parameters)._fit_shards(in_shards(read, 1), NUMBERS), one)
    net = Regressor(**SMALL | parameters | {"batch_size": N})._fit_shards(in_shards(read, 2), NUMBERS)
    assert_same(net._fitted.reading, one._fitted.reading)


class LosesOnce(Pickled):
    """Shard 1 is lost in the second epoch, and made anew."""

    def gradients(self, theta, parts, seed):
        self.n_batches = getattr(self, "n_batches", 0) + 1
        if self.n_batches == 6:
            self.make_anew(1)
            raise GradientsLost
        yield from super().gradients(theta, parts, seed)


@pytest.mark.parametrize("case", ["times", "frame, missing", "categories, some unused", "stretches", "L-BFGS"])
def test_a_shard_that_is_made_anew_is_as_it_was(case):
    parts = partitions(CASES[case][2], [9, 5, 10])
    net, one = (
        fitted_to(in_shards(parts, 3, kind), case, batch_size=8, max_iter=4) for kind in (LosesOnce, Pickled)
    )
    assert_same_fit(net, one)


class Computed:
    """A partition that is computed when it is read, and knows how many of all of them are in memory then."""

    def __init__(self, part, all_of_them):
        self.part, self.all_of_them, self.in_memory = part, all_of_them, []

    def __call__(self):
        part = self.part.copy()
        self.all_of_them.append(weakref.ref(part))
        self.in_memory.append(sum(reference() is not None for reference in self.all_of_them))
        return part


@pytest.mark.parametrize(("X", "n_times"), [(np.array(X_RAGGED, dtype=object), 1), (FRAME, 2)], ids=["arrays", "frame"])
@pytest.mark.parametrize("n_shards", [1, 2])
def test_partitions_that_are_computed_when_they_are_read(X, n_times, n_shards):
    references = []
    parts = [Computed(part, references) for part in partitions(X, [9, 5, 10])]
    net = Regressor(**SMALL)._fit_shards(in_shards(list(map(Later, parts)), n_shards), NUMBERS)
    assert [part.in_memory for part in parts] == [[1] * n_times] * 4
    assert_same_fit(net, Regressor(**SMALL)._fit_shards(in_shards(partitions(X, [9, 5, 10]), n_shards), NUMBERS))


def test_partitions_are_let_go_of_as_they_are_read():
    alive = []

    class How(FirstReading):
        def read(self, *arguments, **options):
            alive.append([reference() is not None for reference in references])
            return super().read(*arguments, **options)

    shard, how = Shard(partitions(FRAME, [9, 5])), How(categorical_features="from_dtype")
    references = list(map(weakref.ref, shard.parts.values()))
    found = shard.look("Net", how)
    shard.read("Net", how, merged_mixed([part[:2] for part in found])[0])
    assert alive == [[True] * 3, [False, True, True], [False, False, True]]


def labelled(*columns, **more):
    return pd.DataFrame({name: [[1.0, 2.0], [3.0]] for name in columns} | more)


UNUSED = pd.CategoricalDtype(["m", "f", "x"])
UNION = pd.CategoricalDtype(["b", "a"])


class TestPartitions:
    """What partitions may differ in, and what they may not."""

    @pytest.mark.parametrize(("parts", "whole"), [
        ([X3[:9].astype(np.float32), X3[9:]], np.concatenate([X3[:9].astype(np.float32), X3[9:]])),
        ([X3[:9], X3[9:, :4]], [*X3[:9], *X3[9:, :4]]),
        ([X3[:9], list(X3[9:])], list(X3)),
        ([list(X3[:9].astype(np.float32)), list(X3[9:].astype(np.float32))], list(X3.astype(np.float32))),
        (
            [FRAME[:9].assign(sex="m").astype({"sex": "category"}), FRAME[9:].astype({"sex": "category"})],
            FRAME.assign(sex=[*["m"] * 9, *FRAME["sex"][9:]]),
        ),
        (
            [FRAME[:9].astype({"sex": UNUSED}), FRAME[9:].astype({"sex": "category"})], FRAME,
        ),
        ([FRAME[:9], FRAME[9:].assign(sex=None)], FRAME.assign(sex=[*FRAME["sex"][:9], *[None] * (N - 9)])),
        ([FRAME[:9].assign(sex=None), FRAME[9:]], FRAME.assign(sex=[*[None] * 9, *FRAME["sex"][9:]])),
        (
            [FRAME[:9].assign(drug=[[None] * len(x) for x in X_RAGGED[:9]]), FRAME[9:]],
            FRAME.assign(drug=[*([None] * len(x) for x in X_RAGGED[:9]), *LETTERS[9:]]),
        ),
        ([FRAME[:9].astype({"sex": UNION}), FRAME[9:].astype({"sex": UNION})], FRAME.astype({"sex": UNION})),
    ])
    def test_are_read_as_their_union(self, parts, whole):
        net = Regressor(**SMALL)._fit_shards(in_shards(parts, 2), NUMBERS)
        assert_same(net._fitted.reading, RNNRegressor(**SMALL).fit(whole, NUMBERS)._fitted.reading)

    def test_may_have_padding_or_not(self):
        parts, settings = partitions(PADDED, [4, 6]), SMALL | {"missing": "ffill", "return_sequences": True}
        net = Regressor(**settings)._fit_shards(in_shards(parts, 3), X3[:, :, 0])
        assert_same(net._fitted.reading, RNNRegressor(**settings).fit(PADDED, X3[:, :, 0])._fitted.reading)

    @pytest.mark.parametrize(("parts", "message"), [
        ([X3[:9], X3[9:, :, :1]], "partition 1 of X has 1 features, expected 2 as in partition 0"),
        ([X3[:9], X3[9:, :, 0]], r"partition 1 of X is a table, \(n, columns\), expected sequences by themselves"),
        ([X3[:9, :, 0], X3[9:, :3, 0]], "partition 1 of X has 3 features, expected 6 as in partition 0"),
        ([PADDED[:9], X3[9:, :4]], "partition 1 of X has sequences of 4 steps, and partition 0 of 6, and some"),
        ([list(X3[:4]), PADDED[4:]], "partition 1 of X is an array, and others are not, and some are padded"),
        ([labelled("a", "b"), labelled("a", "c")], r"1 of X has the features \['a', 'c'\], expected \['a', 'b'\]"),
        ([labelled("a", b=["x", "y"]), labelled("a", c=["x", "y"])], "1 of X has other features than partition 0"),
        ([labelled("a", b=["x", "y"]), labelled("a", b=[1.0, 2.0])], r"In partition 1 of X: X\['b'\]\[0\] is 1.0"),
        (
            [labelled("a", b=pd.Categorical(["x", "y"])), labelled("a", b=pd.Categorical([1, 2]))],
            "'b' has strings in some partitions of X, and numbers in others",
        ),
        ([labelled("a", b=[1.0, 2.0]), labelled("a")], "In partition 1 of X: The feature names should match"),
        ([X3[:9], [*X3[9:-1], "text"]], r"In partition 1 of X: X\[21\] is"),
        ([X3[:9], X3[9:] * np.where(np.arange(2) > 0, np.inf, 1)], "In partition 1 of X: Input X contains infinity"),
        ([np.empty((0, 6, 2))], "X is empty|Found array with 0 sample"),
    ])
    def test_that_do_not_go_together(self, parts, message):
        n = sum(map(len, parts))
        net = Regressor(missing="ffill", **SMALL)
        with pytest.raises((TypeError, ValueError), match=message), np.errstate(invalid="ignore"):
            net._fit_shards(in_shards(parts, len(parts)), np.zeros(n))
        assert not net.__sklearn_is_fitted__()

    @pytest.mark.parametrize(("X", "parameters", "message"), [
        ([x[::-1] for x in X_TIMED], {"missing": "ffill", "times": 1}, r"X\[0\], step 1, has the time"),
        (CODES, {"embedding_dim": 2, "n_categories": 5}, r"In partition 0 of X: X\[\d+\]\[\d+\] is \d.0"),
        (CODES, {"embedding_dim": 2, "missing": "indicator"}, "missing='indicator' is for numbers"),
    ])
    def test_errors_of_what_they_hold(self, X, parameters, message):
        with pytest.raises(ValueError, match=message):
            Regressor(**SMALL | parameters)._fit_shards(in_shards(partitions(X, [9, 9]), 3), NUMBERS)

    def test_errors_of_later_partitions_count_the_sequences_of_all(self):
        X = [*X_TIMED[:20], np.array([[0, 2.0, 0], [0, 1.0, 0]]), *X_TIMED[21:]]
        with pytest.raises(ValueError, match=r"X\[20\], step 1, has the time 1, less than 2"):
            Regressor(missing="ffill", times=1, **SMALL)._fit_shards(in_shards(partitions(X, [9, 9]), 3), NUMBERS)


class TestMessages:
    """What a fit says beside errors."""

    def test_warnings_of_all_that_was_learned(self):
        X = np.concatenate([np.ones_like(X3[:, :, :1]), X3], axis=2)
        with pytest.warns(ConstantFeatureWarning, match="feature 0 of X is constant, 1 in every step"):
            Regressor(**SMALL)._fit_shards(in_shards(partitions(X, [9]), 2), NUMBERS)

    @pytest.mark.parametrize("y", [LABELS_OF_STEPS, LABELS], ids=["steps", "sequences"])
    def test_nothing_learned(self, y):
        steps = y is LABELS_OF_STEPS
        net = Classifier(2, max_iter=1, early_stopping=True, return_sequences=steps, batch_size=27, random_state=0)
        with pytest.warns(NothingLearnedWarning, match="nothing that holds|thing: its loss on") as found:
            net._fit_shards(in_shards(partitions(X_RAGGED, [9, 9]), 3), y)
        with pytest.warns(NothingLearnedWarning) as expected:
            RNNClassifier(**net.get_params()).fit(X_RAGGED, y)
        (ours,), (theirs,) = (
            [str(one.message) for one in each if one.category is NothingLearnedWarning] for each in (found, expected)
        )
        assert f"RNN{ours}" == theirs

    def test_a_scorer_that_reads_X(self):
        def score(net, X, y):
            return float(np.mean(X[0]))

        net = Classifier(early_stopping=True, scoring=score, **SMALL)
        with pytest.raises(ValueError, match=r"scoring reads X itself.*: pass X_val and y_val"):
            net._fit_shards(in_shards(partitions(X3, [9]), 2), LABELS)

    def test_a_scorer_of_predictions(self):
        def score(net, X, y):
            return float(np.mean(net.predict(X) == y))

        nets = [
            kind(early_stopping=True, scoring=scoring, batch_size=27, **SMALL)._fit_shards(
                in_shards(partitions(X3, [9]), 2), LABELS
            )
            for kind, scoring in ((Classifier, score), (Classifier, None))
        ]
        assert nets[0].validation_scores_ == nets[1].validation_scores_


@pytest.mark.parametrize("parameters", [{}, {"solver": "lbfgs"}, {"truncated_bptt_steps": 3}, {"early_stopping": True}])
def test_shards_without_weight(parameters):
    """They change nothing, as the sequences of one process do not."""
    weights = np.where(np.arange(N) < 12, 0.0, 1.0)
    net, one = (
        Regressor(**SMALL | {"batch_size": 5} | parameters)._fit_shards(shards, y, sample_weight=own)
        for shards, y, own in (
            (in_shards(partitions(X_RAGGED, [9, 3, 10]), 4), NUMBERS, weights),
            (in_shards(partitions(X_RAGGED[12:], [0, 0, 10]), 4), NUMBERS[12:], np.ones(N - 12)),
        )
    )
    assert_same(net._fitted, one._fitted)


def test_callbacks_are_told_of_X_as_it_was_passed(monkeypatch):
    told = []
    monkeypatch.setattr(Regressor, "_watch", lambda self, X, y, sample_weight, fitted: told.append(X) or NOTHING)
    Regressor(**SMALL)._fit_shards(in_shards(partitions(X3, [9]), 2), NUMBERS, X="X")
    assert told == ["X"]
