"""The texts of a fit, in one shard or in several, which may be on other machines."""

from collections import Counter
from itertools import chain, zip_longest

import numpy as np

from skrnn._data.examples import Examples
from skrnn._data.sequences import Sequences
from skrnn._data.sharded import index_in_shards
from skrnn._estimators.shard import Later, naming_partition
from skrnn._language import scoring
from skrnn._language.corpus import Corpus, Windows
from skrnn._language.vocabulary import texts_in, texts_of
from skrnn._network.objective import StreamObjective
from skrnn._training.sharding import (
    LocalShards,
    ShardedBatch,
    ShardedObjective,
    TrainingShard,
    regularization_of_shards,
)


class TextShard(TrainingShard):
    """Texts that lie together: counted, made numbers, and trained on.

    Parameters
    ----------
    texts : list of lists of symbols
    of_strings : bool
        Whether each of them was a str.
    """

    def __init__(self, texts, of_strings):
        self.texts, self.of_strings = texts, of_strings

    @classmethod
    def of(cls, X, analyzer):
        """The shard of a list of texts, which may be empty; the parameters are those of `texts_of`."""
        texts = texts_of(X, analyzer) if X else []
        return cls(texts, all(isinstance(text, str) for text in X))

    @classmethod
    def of_partitions(cls, partitions, first, analyzer):
        """The shard of some partitions of X, which may have no texts; `first` is the number of the first of them."""
        parts = []
        for number, partition in enumerate(partitions, first):
            with naming_partition(number):
                X = partition.compute() if isinstance(partition, Later) else partition
                parts.append(cls.of(texts_in(X, may_be_empty=True), analyzer))
        return cls([text for part in parts for text in part.texts], all(part.of_strings for part in parts))

    def describe(self):
        """The number of texts, and whether each of them is a str."""
        return len(self.texts), self.of_strings

    def count_symbols(self, index):
        """How often each symbol is in the texts `index`, in the order in which they come."""
        return Counter(chain.from_iterable(map(self.texts.__getitem__, index)))

    def encode(self, vocabulary, index, held_out, ends):
        """Make numbers of the texts, and keep these alone.

        Parameters
        ----------
        vocabulary : Vocabulary
        index, held_out : int arrays
            The texts to train on, in this order, and those to validate on.
        ends : bool
            As in `Corpus`.

        Returns
        -------
        starts, lengths : (n,) int arrays
            Of the texts to train on, as in `Corpus`.
        n_read, n_predicted : (V,) int arrays
            How often each symbol is read and predicted in these.
        """
        self.boundary = vocabulary.boundary
        self.corpus = corpus = Corpus([self.texts[i] for i in index], vocabulary, ends)
        self.held_out = Corpus([self.texts[i] for i in held_out], vocabulary)
        self.texts = None
        return corpus.starts, corpus.lengths, corpus.n_read(), corpus.n_predicted()

    def prepare(self, network, loss, dtype, streams, regularization):
        """Get ready to train.

        Parameters
        ----------
        network, loss
            Of `StreamObjective`.
        dtype : dtype
        streams : tuple or None
            Of `Windows`, or None where there is no text to train on: the starts of the pieces, which are read as if a
            text began with them, `n_streams` and `n_steps`.
        regularization : dict
            Further arguments of `StreamObjective`.
        """
        self.network = network
        if streams is None:
            return
        pieces, n_streams, n_steps = streams
        inputs = self.corpus.inputs.copy()
        inputs[pieces] = self.boundary
        sequences = Sequences(np.empty((0, 1), dtype), self.corpus.lengths, "ragged", categories=inputs)
        examples = Examples(sequences, self.corpus.targets, None, True)
        self.objective = StreamObjective(network, examples, loss, n_streams, n_steps, **regularization)

    def score_held_out(self, theta):
        """The sum of the log-likelihoods of all steps that are held out, and their number."""
        if not len(self.held_out):
            return 0.0, 0
        log_likelihoods = scoring.log_likelihoods(self.network, theta, self.held_out)
        return float(log_likelihoods.sum()), len(log_likelihoods)


class ShardedTexts:
    """The texts of a fit, in shards, one after the other.

    Parameters
    ----------
    shards : Shards
        Of `TextShard`.

    Attributes
    ----------
    of_strings : bool
        Whether each text is a str.
    n_read, n_predicted : (V,) int arrays
        After `encode`: how often each symbol of the texts to train on is read and predicted.
    """

    def __init__(self, shards):
        self.shards = shards
        counts, of_strings = zip(*shards.ask("describe"), strict=True)
        self.ends, self.of_strings = np.cumsum(counts), all(of_strings)
        if not len(self):
            raise ValueError("X is empty, expected at least one text")

    def __len__(self):
        return int(self.ends[-1])

    def count_symbols(self, index):
        """How often each symbol is in the texts `index`, in the order in which they come."""
        counts, *others = self.shards.ask("count_symbols", index_in_shards(index, self.ends))
        for more in others:
            counts.update(more)
        return counts

    def encode(self, vocabulary, index, held_out, ends=True):
        """Make numbers of the texts `index`, which are trained on, and of those that are held out."""
        n = self.shards.n_shards
        answers = self.shards.tell(
            "encode", [vocabulary] * n, index_in_shards(index, self.ends), index_in_shards(held_out, self.ends),
            [ends] * n,
        )
        self.starts, self.lengths, n_read, n_predicted = zip(*answers, strict=True)
        self.n_read, self.n_predicted = sum(n_read), sum(n_predicted)

    def objective(self, model, n_streams, n_steps, shuffle, regularization):
        """What to minimize, and the windows that are an epoch of it.

        Parameters
        ----------
        model : Model
        n_streams, n_steps : int
            Of all shards together, as in `Windows`; shards with texts have at least one stream each.
        shuffle : bool
            Whether each epoch has the texts in another order.
        regularization : dict
            Of `run.regularization`.
        """
        order = model.random_state if shuffle else None
        sizes = [int(lengths.sum()) for lengths in self.lengths]
        of_each = [
            Windows(starts, lengths, share, n_steps, order) if share else None
            for starts, lengths, share in zip(self.starts, self.lengths, shared_out(n_streams, sizes), strict=True)
        ]
        self._prepare(model, of_each, regularization)
        return self._objective(model, of_each, regularization)

    def score_held_out(self, theta):
        """The mean log-likelihood of the steps of what is held out."""
        sums, counts = zip(*self.shards.ask("score_held_out", [theta] * self.shards.n_shards), strict=True)
        return sum(sums) / sum(counts)

    def _prepare(self, model, windows, regularization):
        n = self.shards.n_shards
        streams = [None if w is None else (w.starts, w.n_streams, w.n_steps) for w in windows]
        self.shards.tell(
            "prepare", [model.network] * n, [model.loss] * n, [model.dtype] * n, streams,
            [self._of_shards(regularization)] * n,
        )

    def _of_shards(self, regularization):
        return regularization_of_shards(regularization, self.shards.n_shards)

    def _objective(self, model, windows, regularization):
        objective = ShardedObjective(self.shards, model.network, model.dtype, len, **regularization)
        return objective, ShardedWindows(windows)


class LocalTexts(ShardedTexts):
    """The texts of a fit that lie together in this process: one shard, whose objective is trained on as it is."""

    def __init__(self, shard):
        super().__init__(LocalShards([shard]))

    def _of_shards(self, regularization):
        return regularization

    def _objective(self, model, windows, regularization):
        (shard,) = self.shards.shards
        return shard.objective, windows[0]


class ShardedWindows:
    """The windows of all shards side by side; each iteration over it is an epoch.

    Parameters
    ----------
    windows : list of Windows or None
        Of each shard; None where it has no texts.
    """

    def __init__(self, windows):
        self.windows = windows
        self.n_samples = sum(w.n_samples for w in windows if w is not None)

    def __iter__(self):
        # The orders are drawn shard after shard, each when its first window is asked for
        return map(ShardedBatch, zip_longest(*(() if w is None else w for w in self.windows)))

    def __len__(self):
        return max(len(w) for w in self.windows if w is not None)

    def state(self):
        """What `restore` takes: nothing, since an order does not depend on the one before."""
        return None

    def restore(self, state):
        """Begin an epoch again."""


def shared_out(n_streams, sizes):
    """How many of the streams each shard has: one where it has a size, and of the others its share by size.

    They are more than `n_streams` where more shards have a size.

    Parameters
    ----------
    n_streams : int
    sizes : list of int

    Returns
    -------
    list of int
    """
    more, total = max(n_streams - np.count_nonzero(sizes), 0), sum(sizes)
    shares = [1 + more * size // total if size else 0 for size in sizes]
    for _ in range(n_streams - sum(shares)):
        longest = max(range(len(sizes)), key=lambda s: sizes[s] / max(shares[s], 1))
        shares[longest] += 1
    return shares
