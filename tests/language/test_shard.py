"""A language model fitted to texts in shards: with one as in one process, and what several have in common."""

import pickle
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.model_selection import train_test_split

from skrnn import RNNLanguageModel
from skrnn._estimators.shard import Later
from skrnn._language.corpus import Window, Windows
from skrnn._language.shard import ShardedTexts, ShardedWindows, TextShard, shared_out
from skrnn._language.vocabulary import Vocabulary
from skrnn._network.network import RecurrentNetwork
from skrnn._training.loop import GradientsLost
from skrnn._training.losses import LOSSES
from skrnn._training.model import Model
from skrnn._training.sharding import LocalShards

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
TEXTS = ["anna", "", "hanna", "nathan", "a", "than", "hannah", "nana hath", "anthem", "nan", "tan man", "ahem"] * 3
WORDS = [text.replace("a", " a ") for text in TEXTS]
LISTS = [[len(text), *text] for text in TEXTS]
SMALL = {
    "hidden_size": 5, "embedding_dim": 3, "n_streams": 7, "truncated_bptt_steps": 4, "max_iter": 2, "random_state": 0,
}


class Sharded(RNNLanguageModel):
    """Fitted to shards in this process, which are pickled as they would be for other machines."""

    shards_of = LocalShards

    def fit_parts(self, parts, X_val=None):
        self._check_parameters()
        resume = self._resumed()
        shards = [TextShard.of_partitions([part], s, self._analyzer(resume)) for s, part in enumerate(parts)]
        texts = ShardedTexts(self.shards_of(pickle.loads(pickle.dumps(shards))))
        return self._fit_texts(texts, resume, parts, None, X_val)


class Faulty(LocalShards):
    """Shards that are lost in some calls."""

    lost = ()

    def __init__(self, shards):
        super().__init__(shards)
        self.calls = 0

    def gradients(self, theta, parts, seed):
        for part in super().gradients(theta, parts, seed):
            self.calls += 1
            if self.calls in self.lost:
                raise GradientsLost
            yield part


def in_parts(texts, n):
    """Neighbouring texts, some parts larger than others, and the last but one without a text."""
    cuts = [0, *sorted({len(texts) * (i + 1) ** 2 // n**2 for i in range(n)})]
    parts = [texts[first:last] for first, last in pairwise(cuts)]
    return [*parts[:-1], [], parts[-1]] if n > 1 else parts


def learned(model):
    """All that a fit leaves that can be compared."""
    names = [name for name in vars(model) if name.endswith("_")]
    return {name: getattr(model, name) for name in names if name != "symbols_"} | {
        "symbols": model.symbols_.tolist(), "theta": model._fitted.model.theta.tobytes(),
        "joint": model._fitted.reading.joint, "state": model._fitted.model.random_state.get_state()[1].tolist(),
    }


@pytest.mark.parametrize(
    ("texts", "settings"),
    [
        (TEXTS, {}), (LISTS, {"min_frequency": 2}), (WORDS, {"analyzer": "word", "cell": "gru"}),
        (TEXTS, {"analyzer": str.split, "initial_bias": "zero"}),
        (TEXTS, {"early_stopping": True, "validation_fraction": 0.3}),
        (TEXTS, {"early_stopping": True, "dropout": 0.2, "n_iter_no_change": 1}),
        (TEXTS, {"dropout": 0.3, "recurrent_dropout": 0.2, "hidden_size": (4, 3)}),
        (TEXTS, {"alpha": 0.3, "max_grad_norm": 0.5, "shuffle": False}), (TEXTS, {"solver": "adamw", "average": 0.5}),
        (TEXTS, {"solver": "sgd", "learning_rate": "adaptive", "max_iter": 4}),
        (TEXTS, {"max_iter": "auto", "n_iter_no_change": 1, "tol": 10, "learning_rate": "constant"}),
        (TEXTS, {"n_streams": 1, "truncated_bptt_steps": 200}), (TEXTS[:1], {}), (["", "a"], {}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_one_shard_is_as_one_process(texts, settings):
    """What is asked of a shard is as one process has it, to the bit: all that is learned, and the random state."""
    settings = SMALL | settings
    alone, sharded = RNNLanguageModel(**settings).fit(texts), Sharded(**settings).fit_parts([texts])
    assert learned(sharded) == learned(alone)


def test_one_shard_with_warm_start_and_validation_texts():
    settings = SMALL | {"warm_start": True, "early_stopping": True}
    alone, sharded = RNNLanguageModel(**settings), Sharded(**settings)
    for texts, X_val in ((TEXTS, ["nathan"]), (TEXTS[:5], iter(["hat", "xx"]))):
        X_val = list(X_val)
        assert learned(sharded.fit_parts([texts], X_val)) == learned(alone.fit(texts, X_val=X_val))


@pytest.mark.parametrize("n", [2, 5])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"dropout": 0.2, "alpha": 0.1}], ids=str)
def test_several_shards_are_close_to_one(n, settings):
    settings = SMALL | {"max_iter": 8, "learning_rate_init": 0.02} | settings
    alone, sharded = RNNLanguageModel(**settings).fit(TEXTS), Sharded(**settings).fit_parts(in_parts(TEXTS, n))
    assert sharded.symbols_.tolist() == alone.symbols_.tolist()
    assert sharded.t_ == alone.t_
    assert sharded.score(TEXTS) == pytest.approx(alone.score(TEXTS), abs=0.15)
    first = RNNLanguageModel(**settings | {"max_iter": 1}).fit(TEXTS)
    assert sharded.loss_curve_[0] == pytest.approx(first.loss_, abs=0.05)
    if "early_stopping" in settings:
        assert sharded.validation_scores_[-1] == pytest.approx(alone.validation_scores_[-1], abs=0.15)


@pytest.mark.parametrize("n", [1, 3])
def test_texts_that_are_held_out_are_not_trained_on(n):
    """They are those that one process holds out, wherever they are."""
    settings = SMALL | {"early_stopping": True, "validation_fraction": 0.3, "max_iter": 1}
    used, held_out = train_test_split(TEXTS, test_size=0.3, random_state=np.random.RandomState(0))
    model = Sharded(**settings).fit_parts(in_parts(TEXTS, n))
    assert model.validation_scores_ == pytest.approx([model.score(held_out)], rel=1e-14)
    assert model.t_ == sum(len(text) + 1 for text in used)


def test_windows_of_several_shards_have_the_gradient_of_one():
    """That of an objective which reads the streams of both as its own, with the states that it carries; the penalty
    is of all of them, once."""
    parts, rng = [TEXTS[:20], TEXTS[20:]], np.random.RandomState(0)
    vocabulary = Vocabulary.of(Counter("".join(TEXTS)), 1)
    n = len(vocabulary)
    network = RecurrentNetwork(3, (5,), n, "lstm", "tanh", True, False, per_step=True, n_categories=n)
    model = Model(network, LOSSES["log_loss"](), network.initialize(rng, np.float64), rng)
    texts = ShardedTexts(LocalShards([TextShard.of(part, "char") for part in parts]))
    texts.encode(vocabulary, np.arange(len(TEXTS)), np.arange(0))
    regularization = {"alpha": 0.1, "dropout": 0.0, "recurrent_dropout": 0.0, "random_state": rng}
    sharded, windows = texts.objective(model, 5, 4, False, regularization)
    whole = TextShard.of(TEXTS, "char")
    whole.encode(vocabulary, np.arange(len(TEXTS)), np.arange(0), True)
    n_first, n_streams = len(texts.shards.shards[0].corpus), [w.n_streams for w in windows.windows]
    pieces = np.concatenate([windows.windows[0].starts, windows.windows[1].starts + n_first])
    whole.prepare(network, model.loss, np.dtype(np.float64), (pieces, sum(n_streams), 4), regularization)
    for batch in list(windows)[:5]:
        first, second = batch.parts
        both = Window(
            np.concatenate([first.starts, second.starts + n_first]), np.concatenate([first.lengths, second.lengths]),
            np.concatenate([first.stream, second.stream + n_streams[0]]),
            np.concatenate([first.carried, second.carried]),
        )
        (found,), (expected,) = (
            list(objective.gradients(model.theta, rows)) for objective, rows in
            ((sharded, batch), (whole.objective, both))
        )
        np.testing.assert_allclose(found[:2], expected[:2], rtol=1e-12)
        assert found[3] == expected[3] == len(batch)
        assert sharded.ranges.tolist() == whole.objective.ranges.tolist()
        rows = np.concatenate([np.arange(*places) for places in sharded.ranges])
        np.testing.assert_allclose(found[2][rows], expected[2][rows], rtol=1e-9, atol=1e-12)
    assert both.carried.any()


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"n_streams": 2}], ids=str)
def test_an_epoch_that_begins_again_begins_without_states(settings, monkeypatch):
    """Windows go on from states of the ones before, of which shards that are made anew know nothing."""
    parts, models = in_parts(TEXTS, 3), []
    monkeypatch.setattr(Sharded, "shards_of", Faulty)
    for lost in ((), (1,), (3, 5, 11, 12)):
        monkeypatch.setattr(Faulty, "lost", lost)
        models.append(learned(Sharded(**SMALL | settings).fit_parts(parts)))
    assert models[0] == models[1] == models[2]


@pytest.mark.parametrize(
    "partition",
    [TEXTS, pd.Series(TEXTS), pa.array(TEXTS), np.array(TEXTS, dtype=object), iter(TEXTS), Later(lambda: TEXTS)],
    ids=lambda partition: type(partition).__name__,
)
def test_containers_of_partitions(partition):
    shard = TextShard.of_partitions([partition, [], [["a", 3]]], 0, "char")
    assert shard.describe() == (len(TEXTS) + 1, False)
    assert shard.texts == [*map(list, TEXTS), ["a", 3]]
    assert TextShard.of_partitions([[], ["a"]], 0, "char").of_strings


def test_symbols_of_all_shards_are_counted():
    texts = ShardedTexts(LocalShards([TextShard.of(part, "char") for part in (["ba"], [], ["ac", "x"])]))
    assert len(texts) == 3
    counts = texts.count_symbols(np.array([1, 0]))
    assert list(counts.items()) == [("b", 1), ("a", 2), ("c", 1)]
    assert texts.count_symbols(np.array([2])) == Counter("x")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([["a"], ["b", None]], r"In partition 1 of X: X\[1\] is NoneType None, expected a str or"),
        ([["a"], "text"], r"In partition 1 of X: X is a str, expected a list of texts"),
        ([["a"], pd.DataFrame({"a": ["b"]})], r"In partition 1 of X: X has shape \(1, 1\), expected texts \(n,\)"),
        ([[], []], "X is empty, expected at least one text"),
        ([["", ""], []], r"X has no symbol at least min_frequency=1 times"),
    ],
)
def test_errors_name_the_partition_and_leave_the_model_as_it_was(parts, message):
    model = Sharded(**SMALL).fit_parts([TEXTS])
    before = learned(model)
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit_parts(parts)
    assert learned(model) == before


@pytest.mark.parametrize(
    ("n_streams", "sizes", "expected"),
    [
        (7, [100], [7]), (6, [100, 200], [2, 4]), (6, [100, 0, 200], [2, 0, 4]), (2, [5, 5, 5], [1, 1, 1]),
        (4, [1000, 1, 1], [2, 1, 1]), (5, [10, 10], [3, 2]), (4, [90, 110, 200], [1, 1, 2]),
        (10**9, [30, 10], [75 * 10**7, 25 * 10**7]),
    ],
)
def test_streams_are_shared_out_by_size(n_streams, sizes, expected):
    assert shared_out(n_streams, sizes) == expected


def test_windows_of_shards_are_read_side_by_side():
    """Each as if it were alone, until its streams end; the orders are drawn one after the other."""
    def windows():
        generator = np.random.RandomState(0)
        return [Windows(np.cumsum(n) - n, n, 1, 4, generator) for n in (np.array([9, 3]), np.array([4]))]

    sharded, (first, second) = ShardedWindows([*windows(), None]), windows()
    assert len(sharded) == 3
    assert sharded.n_samples == 16
    for _ in range(2):
        batches = list(sharded)
        assert [len(batch) for batch in batches] == [8, 4, 4]
        assert [batch.parts[2] for batch in batches] == [None] * 3
        assert [batch.parts[1] is None for batch in batches] == [False, True, True]
        expected = [window.starts.tolist() for window in first]
        assert [batch.parts[0].starts.tolist() for batch in batches] == expected
        list(second)
