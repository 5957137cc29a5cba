"""Gradients of shards: the tree that puts them together, batches, penalty, masks, and epochs that begin again."""

from itertools import pairwise

import numpy as np
import pytest
from numerical import assert_gradient, central_differences

from skrnn._data.containers import as_sequences
from skrnn._data.examples import Examples
from skrnn._data.sequences import Sequences
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import Objective
from skrnn._training.loop import Batches, GradientsLost, Stopping, train_epoch
from skrnn._training.losses import LOSSES
from skrnn._training.model import Model
from skrnn._training.optimizers import Adam
from skrnn._training.partial_gradients import Nodes, PartialGradient, middle_of, together
from skrnn._training.schedules import SCHEDULES
from skrnn._training.sharding import (
    LocalShards,
    ShardedBatch,
    ShardedBatches,
    ShardedObjective,
    TrainingShard,
    seed_of_shard,
    updates_of,
)

pytestmark = pytest.mark.usefixtures("simd")
LENGTHS = [5, 2, 7, 1, 9, 3, 4, 8, 6, 2, 5, 3]


class Shard(TrainingShard):
    """Some sequences, with their objective."""

    def __init__(self, objective):
        self.objective = objective


def of_categories(X):
    return Sequences(np.empty((0, 1)), np.array([*map(len, X)]), "ragged", categories=np.concatenate(X))


class Problem:
    """Ragged sequences, whole and in shards."""

    def __init__(self, sizes, *, categories=False, alpha=0.1, **settings):
        rng = np.random.default_rng(0)
        X = [rng.integers(0, 7, n) if categories else rng.normal(size=(n, 3)) for n in LENGTHS]
        self.y, self.weights = rng.normal(size=(len(X), 1)), rng.uniform(0.5, 2, len(X))
        self.network = RecurrentNetwork(3, (4,), 1, "gru", "tanh", True, False, False, n_categories=7 * categories)
        self.sizes, self.alpha = sizes, alpha
        self.settings = {"dropout": 0.0, "recurrent_dropout": 0.0, "max_steps": None} | settings
        read = of_categories if categories else as_sequences
        self.whole, self.sequences = read(X), [read(X[part]) for part in self.parts([0, *sizes])]
        self.rates = {name: self.settings[name] for name in ("dropout", "recurrent_dropout")}

    @staticmethod
    def parts(sizes):
        ends = np.cumsum(sizes)
        return [slice(first, last) for first, last in pairwise(ends)]

    def objective(self, sequences, rows, alpha, **more):
        examples = Examples(sequences, self.y[rows], self.weights[rows], False)
        return Objective(
            self.network, examples, LOSSES["squared_error"](), 4, alpha, **self.settings, **more
        )

    def shards(self):
        alpha = self.alpha if len(self.sizes) == 1 else 0.0
        random_state = np.random.RandomState(3)       # where there is dropout; the coordinator's seeds take its place
        return LocalShards([
            Shard(self.objective(sequences, rows, alpha, random_state=random_state))
            for sequences, rows in zip(self.sequences, self.parts([0, *self.sizes]), strict=True)
        ])

    def sharded(self, shards=None, random_state=None):
        counts = updates_of(np.array(LENGTHS), self.network, self.settings["max_steps"], False)
        return ShardedObjective(
            shards or self.shards(), self.network, np.float64, counts, self.alpha, **self.rates,
            random_state=random_state, counts=self.sizes,
        )

    def model(self):
        generator = np.random.RandomState(0)
        theta = self.network.initialize(generator, np.float64)
        model = Model(self.network, LOSSES["squared_error"](), theta, generator)
        model.optimizer = Adam(model.theta, 0.01)
        model.schedule = SCHEDULES["constant"](0.01, 0.5, 4)
        return model

    def trained(self, objective_of, batches_of):
        model = self.model()
        objective, batches = objective_of(model.random_state), batches_of(model.random_state)
        for _ in range(3):
            train_epoch(model, objective, batches, Stopping(3, 0.0, 100))
        return model


@pytest.fixture
def theta():
    return lambda problem: problem.network.initialize(np.random.RandomState(1), np.float64)


def random_part(rng, ranges):
    ranges = np.array(ranges, np.intp)
    n = int((ranges[:, 1] - ranges[:, 0]).sum())
    return PartialGradient(rng.normal(), 0.0, rng.normal(size=n).astype(np.float32), ranges, rng.uniform(1, 9))


@pytest.mark.parametrize(("n", "middle"), [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8)])
def test_a_node_of_the_tree_begins_with_a_power_of_two(n, middle):
    assert middle_of(n) == middle


@pytest.mark.parametrize("n_shards", [1, 2, 3, 5, 8])
def test_the_sum_has_the_same_bits_whichever_parts_are_put_together_first(n_shards):
    rng = np.random.default_rng(0)
    leaves = {(s, s + 1): random_part(rng, [[0, 3], [3, 5]]) for s in range(n_shards)}
    expected = Nodes(n_shards, leaves).root
    for _ in range(5):
        order, nodes = rng.permutation(n_shards), Nodes(n_shards)
        for some in np.array_split(order, 3):
            nodes.add(Nodes(n_shards, {(s, s + 1): leaves[s, s + 1] for s in some.tolist()}).parts)
        assert nodes.root.values.tobytes() == expected.values.tobytes()
        assert nodes.root.loss == expected.loss
    weights = np.array([leaf.weight for leaf in leaves.values()])
    values = np.stack([leaf.values for leaf in leaves.values()])
    np.testing.assert_allclose(expected.values, np.average(values, axis=0, weights=weights), rtol=1e-5, atol=1e-6)


def test_parts_of_different_rows_of_a_table():
    a, b = (random_part(np.random.default_rng(0), ranges) for ranges in ([[0, 2], [8, 11]], [[0, 2], [5, 8]]))
    both = together(a, b)
    dense = np.zeros((2, 11))
    for row, part in zip(dense, (a, b), strict=True):
        row[np.concatenate([np.arange(*r) for r in part.ranges])] = part.values
    assert both.ranges.tolist() == [[0, 2], [5, 8], [8, 11]]
    out = both.unpacked(np.full(11, 7.0))
    np.testing.assert_allclose(
        out[[0, 1, *range(5, 11)]], np.average(dense, axis=0, weights=[a.weight, b.weight])[[0, 1, *range(5, 11)]],
        rtol=1e-6,
    )
    assert (out[2:5] == 7).all()
    assert together(None, a) is a
    assert together(a, None) is a


@pytest.mark.parametrize("categories", [False, True])
@pytest.mark.parametrize("settings", [{}, {"max_steps": 2}, {"dropout": 0.3, "recurrent_dropout": 0.2}], ids=str)
def test_one_shard_trains_as_no_shards(categories, settings):
    problem = Problem([len(LENGTHS)], categories=categories, **settings)
    alone = problem.trained(
        lambda generator: problem.objective(problem.whole, slice(None), problem.alpha, random_state=generator),
        lambda generator: Batches(len(LENGTHS), 5, generator),
    )
    sharded = problem.trained(
        lambda generator: problem.sharded(random_state=generator),
        lambda generator: ShardedBatches([len(LENGTHS)], 5, generator),
    )
    assert alone.theta.tobytes() == sharded.theta.tobytes()
    assert alone.history.epochs == sharded.history.epochs


@pytest.mark.parametrize("categories", [False, True])
def test_gradient_of_several_shards(categories, theta):
    problem = Problem([3, 4, 5], categories=categories)
    sharded, values = problem.sharded(), theta(problem)
    sharded.shards.ask = None       # there is a round for each of SciPy's trials, and no other
    index = np.arange(len(LENGTHS))
    loss, penalty, gradient, weight = sharded(values, index)
    whole = problem.objective(problem.whole, slice(None), problem.alpha)(values, index)
    np.testing.assert_allclose([loss, penalty, weight], [whole[0], whole[1], whole[3]], rtol=1e-12)
    np.testing.assert_allclose(gradient, whole[2], rtol=1e-9, atol=1e-12)
    used = np.concatenate([np.arange(*r) for r in sharded.ranges])
    numeric = central_differences(lambda: sum(sharded(values, index)[:2]), values, 1e-5)
    assert_gradient(gradient[used], numeric[used])


def test_batches_have_of_each_shard_its_share():
    batches = ShardedBatches([6, 0, 3], 3, np.random.RandomState(0))
    for _ in range(2):
        epoch = list(batches)
        assert [len(batch) for batch in epoch] == [3, 3, 3]
        assert [[len(part) for part in batch.parts] for batch in epoch] == [[2, 0, 1]] * 3
        assert sorted(np.concatenate([batch.parts[0] for batch in epoch])) == list(range(6))
    assert len(batches) == 3


def test_shards_have_masks_of_their_own(theta):
    assert seed_of_shard(12, 0) == 12
    assert len({seed_of_shard(12, s) for s in range(20)}) == 20
    problem = Problem([6, 6], dropout=0.5)
    shards, rows = problem.shards(), np.arange(6)
    (first,), (second,) = (
        list(shards.gradients(theta(problem), [rows, rows], seed)) for seed in (1, 2)
    )
    assert (first.values != second.values).any()


class Faulty(LocalShards):
    """Shards that are lost in some calls."""

    def __init__(self, shards, lost):
        super().__init__(shards)
        self.calls, self.lost = 0, lost

    def gradients(self, theta, parts, seed):
        for part in super().gradients(theta, parts, seed):
            self.calls += 1
            if self.calls in self.lost:
                raise GradientsLost
            yield part


@pytest.mark.parametrize("settings", [{}, {"max_steps": 2}, {"dropout": 0.3}], ids=str)
def test_an_epoch_that_lost_gradients_begins_again(settings):
    problem = Problem([3, 4, 5], **settings)
    models = [
        problem.trained(
            lambda generator, lost=lost: problem.sharded(Faulty(problem.shards().shards, lost), generator),
            lambda generator: ShardedBatches(problem.sizes, 5, generator),
        )
        for lost in ((), (1,), (2, 5, 8, 9))
    ]
    for model in models[1:]:
        assert model.theta.tobytes() == models[0].theta.tobytes()
        assert model.history.epochs == models[0].history.epochs
        assert model.optimizer.counts.tolist() == models[0].optimizer.counts.tolist()


def test_a_gradient_of_all_that_was_lost_is_computed_again(theta):
    problem = Problem([3, 9])
    values, index = theta(problem), np.arange(len(LENGTHS))
    again = problem.sharded(Faulty(problem.shards().shards, (1,)))(values, index)
    assert again[2].tobytes() == problem.sharded()(values, index)[2].tobytes()


def test_updates_are_counted_in_stretches():
    problem = Problem([3, 9], max_steps=2)
    whole = problem.objective(problem.whole, slice(None), 0.1)
    batches = Batches(len(LENGTHS), 5)
    assert problem.sharded().n_updates(ShardedBatches([3, 9], 5)) == whole.n_updates(batches) > len(batches)


def test_a_batch_counts_the_samples_of_all_shards():
    assert len(ShardedBatch([np.arange(3), None, np.arange(2)])) == 5
