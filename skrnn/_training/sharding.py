"""Training on data in shards, which may be on other machines: batches of all of them, and an objective over them.

The training loop, with all that changes in it, runs in one process. A shard knows the sequences that it has, and
otherwise nothing between two batches: it is sent the parameters, its rows of a batch and a seed, and returns the
gradient.
"""

from copy import deepcopy
from itertools import chain

import numpy as np

from skrnn._network.layout import full_range
from skrnn._network.objective import seed_of_masks, updates_in_stretches
from skrnn._training.loop import GradientsLost
from skrnn._training.partial_gradients import Nodes, PartialGradient
from skrnn.kernels import kernels_for


class TrainingShard:
    """Base class of a shard: the gradients of its rows of a batch, from its objective.

    Attributes
    ----------
    objective : Objective
        Of the examples of the shard; a subclass sets it.
    """

    objective = None

    def begin_batch(self, theta, rows, seed):
        """Begin with the rows of a batch, an index of the examples or a `Window`; None for no rows.

        Parameters
        ----------
        theta : (P,) array
            May be changed between calls of `next_gradient`, in place.
        rows : batch of the objective, or None
        seed : int
            Of the masks.

        Returns
        -------
        n_stretches : int
            How often `next_gradient` can be called.
        """
        if rows is None or not len(rows):
            self._stretches = iter(())
            return 0
        self.objective.draw_seed = lambda: seed
        self._stretches = self.objective.stretches(theta, rows)
        return self.objective.n_stretches(rows)

    def next_gradient(self):
        """The `PartialGradient` of the next stretch; None where there is none, or it has no target."""
        result = next(self._stretches, None)
        return None if result is None else PartialGradient.of(*result, self.objective.ranges)


class Shards:
    """The shards of X, wherever they are: what a subclass has to do.

    Attributes
    ----------
    n_shards : int
    """

    def tell(self, method, *arguments):
        """Call a method that changes shards, and remember it for shards that have to be made anew.

        Parameters
        ----------
        method : str
        *arguments : lists
            Each has one for each shard.

        Returns
        -------
        results : list
            What it returned, shard after shard.
        """
        raise NotImplementedError

    def ask(self, method, *arguments):
        """Call a method that changes nothing; otherwise as `tell`."""
        raise NotImplementedError

    def gradients(self, theta, parts, seed):
        """Yield the `PartialGradient` of a batch, or None, for one stretch of its steps after the other.

        Parameters
        ----------
        theta : (P,) array
            May be changed in place between two of them.
        parts : list
            The rows of each shard, as `TrainingShard.begin_batch` takes them.
        seed : int
            Of the masks: shard s has that of `seed_of_shard`.

        Raises
        ------
        GradientsLost
            When a shard is gone; it is there again, made anew, in the next call.
        """
        raise NotImplementedError

    def begin_epoch(self, history):
        """An epoch begins, after those of a `History`: shards that can be seen elsewhere show it."""


class LocalShards(Shards):
    """Shards in this process.

    Parameters
    ----------
    shards : list of TrainingShard
    """

    def __init__(self, shards):
        self.shards, self.n_shards = shards, len(shards)

    def tell(self, method, *arguments):
        return [getattr(shard, method)(*of_shard) for shard, *of_shard in zip(self.shards, *arguments, strict=True)]

    ask = tell

    def gradients(self, theta, parts, seed):
        seeds = [seed_of_shard(seed, s) for s in range(self.n_shards)]
        n_stretches = max(self.tell("begin_batch", [theta] * self.n_shards, parts, seeds))
        for _ in range(n_stretches):
            leaves = {(s, s + 1): shard.next_gradient() for s, shard in enumerate(self.shards)}
            yield Nodes(self.n_shards, leaves).root


def seed_of_shard(seed, s):
    """The seed of the masks of shard s: the first one has that of the batch, so that one shard is as no shards."""
    if s == 0:
        return seed
    return int(np.random.SeedSequence([seed, s]).generate_state(1, np.uint64)[0] >> np.uint64(1))


class ShardedBatch:
    """A batch of all shards: the rows of each. Its length is the number of its samples."""

    def __init__(self, parts):
        self.parts = parts

    def __len__(self):
        return sum(len(part) for part in self.parts if part is not None)


class ShardedBatches:
    """The samples of all shards in batches, of each shard its share; each iteration over it is an epoch.

    With one shard these are `Batches`.

    Parameters
    ----------
    counts : list of int
        The samples of each shard.
    batch_size : int
    random_state : RandomState, optional
        Orders the samples of each shard; None takes them as they come.
    """

    def __init__(self, counts, batch_size, random_state=None):
        self.n_samples, self.batch_size, self.random_state = sum(counts), batch_size, random_state
        self.orders = [np.arange(n) for n in counts]

    def __iter__(self):
        if self.random_state is not None:
            for order in self.orders:
                self.random_state.shuffle(order)
        return map(self._batch, range(0, self.n_samples, self.batch_size))

    def _batch(self, first):
        last, n = min(first + self.batch_size, self.n_samples), self.n_samples
        return ShardedBatch([order[first * len(order) // n : last * len(order) // n] for order in self.orders])

    def __len__(self):
        return -(-self.n_samples // self.batch_size)

    def state(self):
        """What `restore` takes to go on from here."""
        return [order.copy() for order in self.orders]

    def restore(self, state):
        """Go on from an earlier state."""
        for order, before in zip(self.orders, state, strict=True):
            order[:] = before


class ShardedObjective:
    """Loss and gradient of batches of shards, in the place of an `Objective`.

    Parameters
    ----------
    shards : Shards
        Whose objectives have what `regularization_of_shards` returns.
    network : RecurrentNetwork
    dtype : dtype
    alpha, dropout, recurrent_dropout, random_state
        As in `Objective`.
    n_updates : callable
        ``n_updates(batches)``: how often `gradients` yields in an epoch, about.
    counts : list of int, optional
        The samples of each shard, for gradients of samples by their number.
    """

    def __init__(
        self, shards, network, dtype, n_updates, alpha=0.0, dropout=0.0, recurrent_dropout=0.0, random_state=None,
        counts=(),
    ):
        self.shards, self.n_updates, self.counts = shards, n_updates, counts
        self.alpha = 0.0 if shards.n_shards == 1 else alpha
        self.decayed = network.layout.weight_ranges()
        self.gradient = np.zeros(network.layout.size, dtype)
        self.ranges = full_range(self.gradient)
        self.draw_seed = lambda: seed_of_masks(random_state if dropout > 0 or recurrent_dropout > 0 else None)

    def checkpoint(self, model, batches):
        """What brings both back to what they are now, at the begin of an epoch, when a gradient got lost."""
        self.shards.begin_epoch(model.history)
        theta, optimizer, generator = model.theta.copy(), deepcopy(model.optimizer), model.random_state.get_state()
        order = batches.state()

        def begin_again():
            model.optimizer = deepcopy(optimizer)
            model.random_state.set_state(generator)
            batches.restore(order)
            model.theta[:] = theta

        return begin_again

    def gradients(self, theta, batch):
        """Loss, penalty, the gradient of their sum and weight, for each stretch of a batch that has a target."""
        for part in self.shards.gradients(theta, batch.parts, self.draw_seed()):
            if part is not None:
                yield self._with_penalty(theta, part)

    def __call__(self, theta, index):
        """The same of samples by their number among those of all shards, in order, in whole sequences."""
        ends = np.cumsum(self.counts)
        parts = np.split(index, np.searchsorted(index, ends[:-1]))
        parts = [part - first for part, first in zip(parts, chain([0], ends[:-1]), strict=True)]
        while True:
            try:
                (result,) = self.gradients(theta, ShardedBatch(parts))
                return result
            except GradientsLost:
                continue

    def _with_penalty(self, theta, part):
        """½ alpha ‖weights‖² / Σ w, and its gradient, added to a part that is all of the batch."""
        self.ranges, gradient = part.ranges, part.unpacked(self.gradient)
        if self.alpha == 0:
            return part.loss, part.penalty, gradient, part.weight
        factor = self.alpha / part.weight
        for first, last in self.decayed:
            gradient[first:last] += theta.dtype.type(factor) * theta[first:last]
        norm = kernels_for(theta.dtype).norm(theta, self.decayed)
        return part.loss, 0.5 * factor * norm * norm, gradient, part.weight


def regularization_of_shards(regularization, n_shards):
    """Of the arguments of a `ShardedObjective` those of the objectives of its shards.

    Their masks come from the seeds that they are sent. They have no penalty, which is that of all weights, once; but a
    single one has, as in one process.
    """
    return regularization | {"alpha": regularization["alpha"] if n_shards == 1 else 0.0, "random_state": None}


def updates_of(lengths, network, max_steps, per_step):
    """What a `ShardedObjective` needs to count updates: a function of batches.

    Parameters
    ----------
    lengths : (n,) int array
        Of the sequences in use, shard after shard.
    network : RecurrentNetwork
    max_steps : int or None
        As in `Objective`.
    per_step : bool
    """
    n_patches = network.n_patches(lengths)
    if not max_steps or n_patches.max() <= max_steps:
        return len
    return lambda batches: updates_in_stretches(n_patches, max_steps, batches.batch_size, per_step)
