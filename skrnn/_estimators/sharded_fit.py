"""The fit of an estimator to an X in shards, which may be on other machines."""

from functools import partial
from itertools import chain

import numpy as np

from skrnn._data.first_reading import FirstReading
from skrnn._data.foreign import EMPTY
from skrnn._data.merging import check_alike, kind_of_all, merged_mixed
from skrnn._data.sharded import ShardedSequences
from skrnn._training import run
from skrnn._training.sharding import ShardedBatches, ShardedObjective, regularization_of_shards, updates_of


class ShardedFitMixin:
    """Before `BaseRNN`: its fit where X is `Shards`.

    What depends on y, and the training loop, are those of one process, in this process. What has to be known of X is
    asked of the shards.
    """

    def _fit_shards(self, shards, y, sample_weight=None, X_val=None, y_val=None, groups=None, X=None):
        """`fit` to Shards of `Shard`; all other arguments are in memory, but X, which callbacks are told of."""
        watch_of = partial(self._watch, X, y, sample_weight)
        return self._fit(shards, y, sample_weight, X_val, y_val, groups, watch_of)

    def _read_first(self, X, **how):
        how, n = FirstReading(**how), X.n_shards
        name = type(self).__name__
        found = X.tell("look", [name] * n, [how] * n)
        mixed, may_have_unused = merged_mixed([part[:2] for part in chain(*found)])
        if mixed is None:
            parts = [[_read_or_raise(of_numbers) for _, _, of_numbers in of_shard] for of_shard in found]
        else:
            parts = X.tell("read", [name] * n, [how] * n, [mixed] * n)
        sequences, first = _sequences_of(X, parts)
        reading, sequences = how.learn(sequences, first.n_features_in, first.names, mixed)
        return reading.drop_absent_categories(sequences) if may_have_unused else (reading, sequences)

    def _read_again(self, X, reading, dtype):
        n = X.n_shards
        parts = X.tell("read_again", [type(self).__name__] * n, [reading] * n, [dtype] * n)
        return _sequences_of(X, parts)[0]

    def _batches(self, model, examples, batch_size):
        counts = [len(used) for used in examples.sequences.index_of_shards(examples.used)]
        return ShardedBatches(counts, batch_size, model.random_state if self.shuffle else None)

    def _objective(self, model, examples, batch_size):
        sequences, network, per_step = examples.sequences, model.network, examples.per_step
        shards, regularization = sequences.shards, run.regularization(model, vars(self))
        n, used = shards.n_shards, sequences.index_of_shards(examples.used)
        shards.tell(
            "learn_targets", *(
                sequences.of_shards(rows, per_step) for rows in (examples.targets, examples.weights, examples.known)
            ), [per_step] * n,
        )
        counts = list(map(len, used))
        sizes = [-(-batch_size * count // len(examples)) for count in counts]
        shards.tell(
            "begin_training", [network] * n, [model.loss] * n, used, sizes,
            [regularization_of_shards(regularization, n)] * n, [self.truncated_bptt_steps] * n,
        )
        in_order = np.concatenate([own + first for own, first in zip(used, sequences.firsts, strict=True)])
        n_updates = updates_of(sequences.lengths[in_order], network, self.truncated_bptt_steps, per_step)
        return ShardedObjective(shards, network, model.dtype, n_updates, **regularization, counts=counts)


def _read_or_raise(part):
    """What a partition is that could be read."""
    if isinstance(part, Exception):
        raise part
    return part


def _sequences_of(shards, parts_of_shards):
    """The sequences of all shards, given a list of `PartOfX` of each, and the first of these."""
    parts = list(chain(*parts_of_shards))
    if not parts:
        raise ValueError(EMPTY)
    check_alike(parts)
    kind, n_padded = kind_of_all(parts)
    dtype = np.result_type(*(part.dtype for part in parts))
    counts = np.array([sum(len(part.lengths) for part in of_shard) for of_shard in parts_of_shards])
    static = None if parts[0].static is None else np.concatenate([part.static for part in parts]).astype(dtype)
    sequences = ShardedSequences(
        shards, counts, np.concatenate([part.lengths for part in parts]), kind, parts[0].n_features, dtype, static,
        n_padded=n_padded, n_codes=parts[0].n_codes,
    )
    shards.tell("join", [dtype] * shards.n_shards, sequences.firsts.tolist())
    return sequences, parts[0]
