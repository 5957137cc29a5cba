"""What a first fit learns of how X is read."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skrnn._data.categorical_features import learn_mixed, warn_of_texts
from skrnn._data.categories import count_categories
from skrnn._data.containers import as_sequences
from skrnn._data.features import features_of
from skrnn._data.missing import WITH_INDICATORS
from skrnn._data.parts import as_hashable, is_from_dtype, is_mixed
from skrnn._data.reading import Reading


@dataclass(frozen=True)
class FirstReading:
    """How a first fit reads X, by the parameters of an estimator.

    X may lie in several places: what each of them tells is put together between one method and the next.

    Parameters
    ----------
    n_steps : int, optional
        As in `as_sequences`.
    missing : {"error", "ffill", "indicator", "decay", "keep"}
        As in `Reading`.
    categorical : bool
        Whether steps are categories, unless some features are.
    n_categories : int, optional
        How many there are; None: up to the greatest in X.
    per_step, standardize
        As in `Reading`.
    leave_out_padding : bool
        As in `as_sequences`.
    categorical_features : "from_dtype", None, or array-like
        Which features are categories, as in `learn_mixed`.
    times : str, int or None
        Which feature of a step is its time.
    n_directions : int
        In how many directions the network reads.
    """

    n_steps: int | None = None
    missing: str = "error"
    categorical: bool = False
    n_categories: int | None = None
    per_step: bool = False
    standardize: bool | str = False
    leave_out_padding: bool = True
    categorical_features: object = None
    times: str | int | None = None
    n_directions: int = 1

    def is_mixed(self, X):
        """Whether X may have more than numbers of steps."""
        return is_mixed(X, self.categorical_features)

    def learn_mixed(self, X):
        """What the features of an X are that `is_mixed`; None if they are all numbers of steps."""
        return learn_mixed(X, self.n_steps, self.categorical_features, self._read)

    def read(self, estimator, X, mixed, with_units=True):
        """The sequences of X, the number of its features, and their names, a tuple or None.

        Parameters
        ----------
        estimator : estimator
            Not changed.
        X : array-like or collection
        mixed : Mixed or None
            What the features are.
        with_units : bool
            Whether X is all of it, whose units may be learned by the way.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence, or when parameters do not go with such an X.
        """
        categorical = self._reads_categories(mixed)
        self._check(categorical)
        if mixed is None:
            with_units = with_units and bool(self.standardize) and not categorical
            sequences = self._read(
                X, categorical=categorical, allow_missing=self.missing != "error", with_units=with_units
            )
            return sequences, *features_of(estimator, sequences)
        sequences = mixed.read(X, partial(self._read, categorical=categorical), self.n_steps, self.missing)
        return sequences, *mixed.with_n_features(sequences.n_features).features(estimator, sequences)

    def learn(self, sequences, n_features_in, names, mixed):
        """The reading of all sequences, and these: as categories, or with missing values that are not filled yet.

        The parameters are what `read` returned, and what it was given.
        """
        if mixed is not None:
            mixed = mixed.with_n_features(sequences.n_features)
            if is_from_dtype(self.categorical_features):
                warn_of_texts(mixed, len(sequences))
        reading = Reading(
            sequences.kind == "table", n_features_in, names, sequences.n_features, self.missing,
            per_step=self.per_step, n_steps=self.n_steps, standardize=self.standardize, mixed=mixed,
            categorical_features=as_hashable(self.categorical_features),
        )
        reading = replace(reading, times=reading.learn_times(self.times, self.n_directions))
        sequences = reading.unshared(sequences)
        if self._reads_categories(mixed):
            return _learn_categories(reading, sequences, self.n_categories)
        return reading, sequences

    def _read(self, X, **how):
        """Sequences of a container of steps."""
        return as_sequences(
            X, n_steps=self.n_steps, leave_out_padding=self.leave_out_padding and self.missing != "error",
            last_category=None if self.n_categories is None else self.n_categories - 1, **how,
        )

    def _reads_categories(self, mixed):
        """Whether steps are categories, since none of the features is a categorical one."""
        return self.categorical and not (mixed is not None and mixed.step_encodings + mixed.static_encodings)

    def _check(self, categorical):
        """Raise a ValueError for parameters that do not go with steps that are categories, if they are."""
        if categorical and self.missing in WITH_INDICATORS:
            raise ValueError(
                f"missing={self.missing!r} is for numbers, to which it adds an input, but with embedding_dim X holds "
                "categories; missing='ffill' takes the last category"
            )
        if categorical and self.times is not None:
            raise ValueError(
                f"times={self.times!r} is a feature beside others, but with embedding_dim a step of X is a category "
                "alone: leave it out, or say which features are categories (categorical_features)"
            )


def learn_reading(estimator, X, n_steps=None, **how):
    """Learn how X is read, in the first fit, and read its sequences.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    X : array-like or collection
        As in `as_sequences`.
    n_steps, **how
        As in `FirstReading`.

    Returns
    -------
    Reading
    Sequences or LazySequences
        float32 or float64, as X; as categories, or with missing values that are not filled yet.
    """
    first = FirstReading(n_steps, **how)
    mixed = first.learn_mixed(X) if first.is_mixed(X) else None
    sequences, n_features_in, names = first.read(estimator, X, mixed)
    return first.learn(sequences, n_features_in, names, mixed)


def _learn_categories(reading, sequences, n_categories):
    """The reading of steps that are categories, and its sequences."""
    if sequences.n_features != 1:
        raise ValueError(
            f"X has {sequences.n_features} features per step, expected one with embedding_dim: a category"
        )
    sequences = replace(reading, n_categories=1).prepare(sequences)
    counts = count_categories(sequences, n_categories=0 if n_categories is None else n_categories)
    n_missing = sequences.lengths.sum() - counts.sum()
    counts = np.append(counts, n_missing)
    reading = replace(reading, n_categories=len(counts), announced=n_categories is not None)
    return reading, reading.with_counts(reading.categorize(sequences), counts)
