"""What fit and partial_fit are given, read: sequences, targets, weights, and the units of X and y."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from skrnn._data.examples import Examples
from skrnn._data.first_reading import learn_reading
from skrnn._data.lazy import without_reading
from skrnn._data.mixed import without_codes
from skrnn._data.numbers import is_positive_int
from skrnn._data.parts import as_hashable
from skrnn._data.sequences import Sequences
from skrnn._data.target_checks import check_samples
from skrnn._data.units import Units, divisors_of, learn_units
from skrnn._data.weights import as_weights, multiply_weights
from skrnn._estimators.embeddings import check_has_categories
from skrnn._estimators.unit_checks import (
    check_units,
    warn_of_constant_features,
    warn_of_constant_targets,
    warn_of_missing_features,
    warn_of_times,
    warn_of_units,
)
from skrnn._messages import shown
from skrnn._training.target_statistics import known_fraction
from skrnn._warnings import warn_user


class TrainingData(NamedTuple):
    """What a net is trained on."""

    reading: object         # Reading
    targets: object         # ClassTargets, SeveralClassTargets, NumberTargets or SurvivalTargets
    loss: object            # Loss
    rows: object            # TargetRows
    examples: object        # Examples, as the network reads them


class TrainingDataMixin:
    """Reads the arguments of `fit` and `partial_fit`, in the way that the parameters of an estimator say."""

    def _read_data(self, X, y, sample_weight, resume, whole=True, **targets):
        """X, y and weights as TrainingData, with what is to be said about them.

        Parameters
        ----------
        resume : Fitted or None
            What a fit continues, whose units and categories are kept.
        whole : bool
            Whether this is all data, in which nothing may lack that later parts could bring.
        **targets
            What else is known of the targets.
        """
        reading, sequences = self._read_X(X, resume)
        targets, loss, rows, examples = self._read_y(y, reading, sequences, sample_weight, resume, **targets)
        if not resume:
            if whole:
                rows.check_every_output()
            self._warn_of_coincidences(targets, rows, sequences)
            if whole or (self.standardize and loss.of_distance):
                self._warn_of_constant_targets(rows, examples.weights, whole)
        reading, examples = self._see_steps(reading, examples, loss, resume)
        return TrainingData(reading, targets, loss, rows, examples)

    def _read_X(self, X, resume):
        """How X is read, and its sequences; `resume` is what a fit continues, or None.

        Those of a fit that continues are as the network reads them, others have missing values that are not filled.
        """
        if resume:
            reading = replace(resume.reading, per_step=self.return_sequences, n_steps=self.n_steps)
            categorical = is_positive_int(self.embedding_dim) and not reading.has_encodings
            if (self.missing, categorical) != (reading.missing, reading.n_categories > 0):
                what = f"missing={self.missing!r} and embedding_dim={self.embedding_dim!r}"
                raise self._cannot_continue(f"{what}, which change what it reads of X")
            if as_hashable(self.categorical_features) != reading.categorical_features:
                what = f"categorical_features={shown(self.categorical_features)}"
                raise self._cannot_continue(f"{what}, which change what it reads of X")
            if reading.column_of_times(self.times) != (reading.times and reading.times.column):
                raise self._cannot_continue(f"times={self.times!r}, which change what it reads of X")
            if self.standardize != reading.standardize:
                raise self._cannot_continue(f"standardize={self.standardize!r}, which changes its units")
            if self.n_categories != (reading.n_categories - 1 if reading.announced else None):
                raise self._cannot_continue(f"n_categories={self.n_categories}, which the first fit did not have")
            sequences = self._read_again(X, reading, resume.model.dtype)
        else:
            reading, sequences = self._read_first(
                X, n_steps=self.n_steps, missing=self.missing, categorical=is_positive_int(self.embedding_dim),
                n_categories=self.n_categories, per_step=self.return_sequences, standardize=self.standardize,
                categorical_features=self.categorical_features, times=self.times,
                n_directions=1 + bool(self.bidirectional),
            )
        check_has_categories(self.embedding_dim, self.n_categories, reading.has_encodings)
        return reading, without_reading(sequences, "solver='lbfgs'") if self.solver == "lbfgs" else sequences

    def _read_first(self, X, **how):
        """What `learn_reading` returns of the X of a first fit."""
        return learn_reading(self, X, **how)

    def _read_again(self, X, reading, dtype):
        """The sequences of X, as a reading of the fit before has them."""
        return reading.read(self, X, dtype=dtype)

    def _read_y(self, y, reading, sequences, sample_weight, resume, **targets):
        """What is known of the targets, their loss, their rows as the user knows them, and examples."""
        per_step = self.return_sequences
        check_samples(sequences, y)
        if resume:
            targets, rows = resume.targets, resume.targets.read(y, sequences, per_step)
        else:
            rows = self._targets_type.read(y, sequences, per_step, **targets)
        rows.weigh(as_weights(sample_weight, sequences, per_step))
        if not resume:
            targets = self._learn_targets(rows, **targets)
        loss = self._make_loss(targets)
        if resume and self.standardize and not loss.takes_units_of(resume.model.loss):
            what = f"loss={loss.name!r}" + " and out_activation='logistic'" * loss.of_logistic
            raise self._cannot_continue(f"{what}, which takes y in other units than the fit before")
        if resume and not loss.takes_scores_of(resume.model.loss):
            raise self._cannot_continue(
                f"loss={loss.name!r}, of which each target has {loss.width} output{'s' * (loss.width > 1)}, that mean "
                f"something else than the {resume.model.loss.width} of loss={resume.model.loss.name!r} before"
            )
        if self.standardize and not resume:
            targets = targets.learn_units(rows, sequences, per_step, loss)
        encoded = targets.encode(rows, sequences, per_step, loss)
        of_targets = targets.weights(rows, self._class_weights(targets, rows))
        weights = multiply_weights(rows.weights, of_targets)
        examples = Examples(sequences, encoded, weights, per_step, known_fraction(encoded))
        return targets, loss, rows, examples

    def _learn_targets(self, rows, **targets):
        """What these targets tell."""
        return self._targets_type.learn(rows, **targets)

    def _class_weights(self, targets, rows):
        """The weights of the classes of these targets, or None."""
        return targets.class_weights(rows, getattr(self, "class_weight", None))

    def _warn_of_coincidences(self, targets, rows, sequences):
        """Warn where X and y can be read, but were probably meant to be read in another way."""
        if self.n_steps is not None and sequences.kind != "table":
            warn_user(
                f"n_steps={self.n_steps} is not used: it says how the columns of a 2-D X are split into steps, and the "
                "sequences of this X have their steps already. Leave n_steps out"
            )
        for message in targets.coincidences(rows, sequences, self.return_sequences):
            warn_user(message)

    def _warn_of_constant_targets(self, rows, weights, whole):
        """Warn of targets of which there is nothing to learn."""
        warn_of_constant_targets(rows, weights, whole)

    def _see_steps(self, reading, examples, loss, resume):
        """What the steps of sequences with weight tell of how X is read, and examples as the network reads them."""
        if resume:
            reading.check_seen(examples.sequences, examples.used)
            return reading, _in_own_units(reading, examples, loss)
        reading, sequences = reading.drop_unused_categories(examples.sequences, examples.used)
        examples = examples.replace(sequences=sequences)
        if reading.n_static:
            reading = _learn_static_units(reading, examples)
        if reading.n_categories:
            return reading, examples.replace(sequences=reading.with_filled_static(sequences).carry_out())
        if reading.times is not None:
            reading = _learn_times(reading, examples)
        if self.standardize:
            reading = _learn_units(reading, examples)
        examples = examples.replace(sequences=reading.prepare(sequences).carry_out())
        return reading, _in_own_units(reading, examples, loss)


def read_examples(estimator, fitted, X, y):
    """X and y as a fitted estimator reads them, as Examples: what has no target has the weight 0."""
    model, reading, targets = fitted
    sequences = reading.read(estimator, X, dtype=model.dtype)
    check_samples(sequences, y)
    rows = targets.read(y, sequences, reading.per_step)
    targets.check(rows)
    rows.weigh()
    encoded = targets.encode(rows, sequences, reading.per_step, model.loss)
    examples = Examples(sequences, encoded, rows.weights, reading.per_step, known_fraction(encoded))
    return _in_own_units(reading, examples, model.loss)


def _learn_times(reading, examples):
    """A reading with the means of times, and a warning of times that lose digits."""
    sequences = without_codes(examples.sequences)
    times, center = reading.times.learn(sequences, examples.used, examples.weights_of_sequences())
    if times.column is not None:
        warn_of_times(center, times.means[0], sequences.dtype, times.name)
    return replace(reading, times=times)


def _learn_units(reading, examples):
    """A reading with the units of the features of examples, and warnings of those that cannot be learned from."""
    if not reading.n_numbers:
        return replace(reading, units=Units(np.empty(0), np.empty(0)))
    sequences, names = without_codes(examples.sequences), reading.number_labels
    center, scale = learn_units(sequences, examples.used, examples.weights_of_sequences())
    if reading.times is not None:
        center, scale = map(reading.times.without, (center, scale))
    n_steps = int(sequences.lengths[examples.used].sum())
    return replace(reading, units=_checked_units(center, scale, sequences.dtype, names, n_steps, "step"))


def _learn_static_units(reading, examples):
    """A reading with the units of the static numbers of examples, and warnings of those that cannot be learned from."""
    sequences, names = examples.sequences, reading.mixed.static_number_names
    if not names or not (reading.standardize or reading.missing != "error"):
        return reading
    numbers = sequences.static[:, : len(names)]
    rows = Sequences(numbers, np.ones(len(numbers), np.intp), "array")
    center, scale = learn_units(rows, examples.used, examples.weights_of_sequences())
    units = _checked_units(center, scale, sequences.dtype, names, len(examples.used), "sequence")
    return replace(reading, static_units=units)


def _checked_units(center, scale, dtype, names, n, per):
    """Units of features, from their means and deviations over n steps or sequences (`per`), with warnings of them."""
    missing = np.isnan(center) & (scale == 0)
    center = np.where(missing, 0.0, center)
    check_units(center, scale, dtype, names)
    warn_of_units(center, scale, dtype, names)
    warn_of_missing_features(missing, names, per)
    if n > 1:
        warn_of_constant_features(center, np.where(missing, 1.0, scale), names, per)
    return Units(center, divisors_of(center, scale))


def _in_own_units(reading, examples, loss):
    """Examples with targets in the units of their sequences, if they are read so."""
    if not reading.in_own_units or examples.targets.ndim == 1:
        return examples
    own = reading.target_units(loss, examples.sequences, np.arange(len(examples.sequences)), examples.targets.shape[1])
    return examples if own is None else examples.replace(targets=own.of(examples.targets))
