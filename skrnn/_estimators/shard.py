"""A shard of X: some of its partitions, which are read, changed, asked and trained on where they lie."""

from contextlib import contextmanager

import numpy as np

from skrnn._data.examples import Examples
from skrnn._data.merging import PartOfX, joined
from skrnn._data.sequences import Sequences
from skrnn._messages import with_message
from skrnn._network.objective import Objective
from skrnn._sklearn import estimator_named
from skrnn._training.sharding import TrainingShard


class Later:
    """A partition of X that is computed each time that it is read, and takes no memory between.

    Parameters
    ----------
    compute : callable
        Returns the partition.
    """

    def __init__(self, compute):
        self.compute = compute


class Shard(TrainingShard):
    """Some of the sequences of X.

    Parameters
    ----------
    parts : list
        Partitions of X as `fit` takes an X, or `Later`, which follow each other; those without a sequence are left out.
        Emptied: what is read is let go of.
    first : int
        The number of the first of them among all.

    Attributes
    ----------
    sequences : Sequences or LazySequences
        Those of the shard, after `join`; None where it has none.
    """

    def __init__(self, parts, first=0):
        self.parts = dict(enumerate(parts, first))
        parts.clear()
        self.sequences = None
        self._read = []

    def look(self, name, how):
        """Read partitions that hold numbers of steps alone, and learn what the features of others are.

        Parameters
        ----------
        name : str
            Of the estimator.
        how : FirstReading

        Returns
        -------
        found : list
            Of each partition its number, its `Mixed` or None, and its `PartOfX`, the error of reading it, or None.
        """
        estimator = estimator_named(name)

        def look(number, part):
            mixed = how.learn_mixed(part) if how.is_mixed(part) else None
            if mixed is not None:
                return number, mixed, None
            try:
                return number, None, self._keep(number, *how.read(estimator, part, None, with_units=False))
            except (TypeError, ValueError) as error:
                return number, None, _with_partition(error, number)

        return self.over_parts(look, again=True)

    def read(self, name, how, mixed):
        """Read the partitions; return a `PartOfX` of each.

        Parameters
        ----------
        name : str
            Of the estimator.
        how : FirstReading
        mixed : Mixed or None
            Of all of X.
        """
        estimator, self._read = estimator_named(name), []
        return self.over_parts(
            lambda number, part: self._keep(number, *how.read(estimator, part, mixed, with_units=False))
        )

    def read_again(self, name, reading, dtype):
        """Read the partitions as the fit before has; return a `PartOfX` of each."""
        estimator = estimator_named(name)
        features = reading.n_features_in, reading.feature_names
        return self.over_parts(
            lambda number, part: self._keep(number, reading.read(estimator, part, dtype=dtype), *features)
        )

    def over_parts(self, function, again=False):
        """function(number, part) of all partitions with sequences, a list; they are let go of, unless needed again."""
        results = []
        for number in list(self.parts):
            with naming_partition(number):
                # No other name for the partition: it is gone when the function returns
                results.append(_of_sequences(function, number, self._take(number, again)))
        return [result for result in results if result is not None]

    def _take(self, number, again):
        part = self.parts[number] if again else self.parts.pop(number)
        return part.compute() if isinstance(part, Later) else part

    def _keep(self, number, sequences, n_features_in, names):
        """Keep the sequences of a partition; return its `PartOfX`."""
        sequences.columns = None        # which may be the partition
        self._read.append(sequences)
        return PartOfX.of(number, sequences, n_features_in, names)

    def join(self, dtype, first):
        """Make one of what was read, of a dtype; `first` is the number of the first sequence in X."""
        self.parts = {}
        if self._read:
            self.sequences = joined(self._read, dtype)
            self.sequences.numbers = np.arange(first, first + len(self.sequences))

    def change(self, changes, static):
        """Change the sequences by functions, and set their static features (n, S), unless None."""
        if self.sequences is not None:
            self.sequences = _changed(self.sequences, changes)
            if static is not None:
                self.sequences = self.sequences.with_static(static)

    def probe(self, changes):
        """The number of features of a step, the dtype and the number of codes that sequences would have after changes.
        """
        if self.sequences is None:
            return None
        first = np.zeros(1, np.intp)
        some = self.sequences.copy_of(first) if isinstance(self.sequences, Sequences) else self.sequences[first]
        some = _changed(some, changes)
        return some.n_features, some.dtype, some.n_codes

    def report(self, changes, function, index, *of_each):
        """``function(sequences, index, *of_each)`` of the sequences after changes; None of no sequences."""
        return function(_changed(self.sequences, changes), index, *of_each) if len(index) else None

    def learn_targets(self, targets, weights, known, per_step):
        """Be told the targets of the sequences as the loss takes them, their weights and what is known of them."""
        if self.sequences is not None:
            self.examples = Examples(self.sequences, targets, None, per_step, known).replace(weights=weights)

    def begin_training(self, network, loss, used, batch_size, regularization, max_steps):
        """Make the objective of the examples `used`, of which a batch has `batch_size`, about."""
        if len(used):
            self.objective = Objective(
                network, self.examples.replace(used=used), loss, batch_size, max_steps=max_steps, **regularization
            )


@contextmanager
def naming_partition(number):
    """Errors of X name the partition."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise _with_partition(error, number) from error


def _with_partition(error, number):
    return with_message(error, f"In partition {number} of X: {error}")


def _of_sequences(function, number, part):
    """function(number, part), or None of a partition without a sequence."""
    return None if _is_empty(part) else function(number, part)


def _changed(sequences, changes):
    for change in changes:
        sequences = change(sequences)
    return sequences


def _is_empty(part):
    """Whether a partition has no sequence."""
    shape = getattr(part, "shape", None) or (len(part) if hasattr(part, "__len__") else 1,)
    return shape[0] == 0
