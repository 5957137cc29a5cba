"""What early stopping goes by, as `scoring` says: the loss, the estimator's own score, or any scorer."""

from copy import copy
from numbers import Real

import numpy as np
from sklearn.metrics import get_scorer

from skrnn._data.lazy import LazySequences
from skrnn._data.reading import set_attributes
from skrnn._data.sequences import SequenceIndex
from skrnn._data.sharded import ShardedSequences
from skrnn._estimators.trainable import Fitted
from skrnn._messages import shown
from skrnn._plain import plain
from skrnn._sklearn import BaseScorer, select
from skrnn._training.loop import Validation


def validator_of(estimator, fitted, held_out, weighted):
    """A function that returns the `Validation` of theta.

    Parameters
    ----------
    estimator : estimator
        With its parameter `scoring`.
    fitted : Fitted
        What its fit has learned so far, with the model that it trains.
    held_out : HeldOut
    weighted : bool
        Whether the user gave the sequences weights, which a scorer then gets.
    """
    if estimator.scoring == "loss":
        return Validator(held_out, fitted, lambda scores, loss: -loss)
    if estimator.scoring is None:
        held_out.warn_if_constant(fitted.targets)
        return Validator(held_out, fitted, DefaultScore(held_out, fitted))
    score = ScorerOfEpochs(estimator, fitted, held_out, weighted)
    score.check()
    return Validator(held_out, fitted, score)


class Validator:
    """The loss and the score of what is held out, from scores that are computed once.

    Parameters
    ----------
    held_out : HeldOut
    fitted : Fitted
    score : callable
        ``score(scores, loss)`` of raw scores and their loss, higher is better.
    """

    def __init__(self, held_out, fitted, score):
        self.held_out, self.model, self.score = held_out, fitted.model, score

    def __call__(self, theta):
        scores = self.held_out.scores(self.model, theta)
        loss = self.held_out.loss(self.model.loss, scores)
        score = float(self.score(scores, loss))
        if not np.isfinite(score):
            raise ValueError(
                f"The validation score is {score}: the {len(self.held_out.index)} sequences held out are too few or "
                "all alike. Increase validation_fraction, or pass X_val and y_val"
            )
        return Validation(loss, score)


class DefaultScore:
    """The accuracy, or the explained fraction of the loss."""

    def __init__(self, held_out, fitted):
        self.held_out, self.fitted = held_out, fitted

    def __call__(self, scores, loss):
        held_out, fitted = self.held_out, self.fitted
        targets = held_out.targets_of(fitted.targets, fitted.model.loss, held_out.has_weight)
        return targets.score(held_out.values, scores[held_out.has_weight], fitted.model.loss, held_out.weights)


class ScorerOfEpochs:
    """A scorer, called with an estimator whose predictions for what is held out are made of scores that are known.

    The name of a scorer of scikit-learn, which takes one target per sample, has with targets per step the steps as its
    samples: those that have a target and weight. A callable gets what it would get in a search.

    Parameters
    ----------
    estimator, fitted, held_out, weighted
        As in `validator_of`.
    """

    def __init__(self, estimator, fitted, held_out, weighted):
        self.name, self.fitted, self.held_out = estimator.scoring, fitted, held_out
        named = isinstance(self.name, str)
        self.scorer = get_scorer(self.name) if named else self.name
        self.estimator = copy(estimator)
        self.X = _sequences_for(self.scorer, held_out)
        self.rows = slice(None)
        if held_out.per_step and named:
            # to scikit-learn a net with outputs per step is no classifier or regressor of samples
            self.estimator.return_sequences = False
            self.form, self.rows = RowsAsSamples(), held_out.has_weight
        else:
            self.form = _form_of(held_out)
        known = held_out.rows.take(self.rows)
        self.y = known.as_array()
        self.weights = {"sample_weight": known.weights} if weighted else {}
        if held_out.per_step:
            self.y = self.form.split(self.y)
            self.weights = {name: self.form.split(weights) for name, weights in self.weights.items()}

    def __call__(self, scores, loss=None):
        fitted = ScoredFitted(*self.fitted)
        fitted.X, fitted.sequences, fitted.known_scores = self.X, self.form, scores[self.rows]
        fitted.known_targets = self.held_out.targets_of(fitted.targets, fitted.model.loss, self.rows)
        estimator = copy(self.estimator)
        set_attributes(estimator, {"_fitted": fitted} | fitted.attributes())
        score = self.scorer(estimator, self.X, self.y, **self.weights)
        if not isinstance(score, Real):
            raise TypeError(f"scoring returned {shown(score)}, expected a number, the greater the better")
        return score

    def check(self):
        """Raise a ValueError if what is held out cannot be scored, tried on random scores before any training."""
        model = self.fitted.model
        shape = len(self.held_out.row_numbers), model.network.n_outputs
        scores = np.random.RandomState(0).standard_normal(shape).astype(model.dtype)
        steps = self.held_out.per_step and not isinstance(self.name, str)
        hint = ". For targets per step pass the name of a scorer, or one of make_sequence_scorer" if steps else ""
        if isinstance(self.fitted.attributes().get("classes_"), list):
            hint = ". For several columns of classes pass a scorer of make_sequence_scorer, or None for accuracy"
        what = f"scoring={shown(self.name)} does not work for the {len(self.held_out.index)} sequences held out"
        try:
            score = self(scores)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{what}: {error}{hint}") from error
        if not np.isfinite(score):
            raise ValueError(f"{what}: the score is {score}. Increase validation_fraction, or pass X_val and y_val")


@plain(stored_as=Fitted)
class ScoredFitted(Fitted):
    """What has been learned in an epoch, with the scores of one X.

    Attributes
    ----------
    X : object
        It is recognized by its identity.
    sequences : SequenceIndex or RowsAsSamples
        Gives rows of predictions the form of what `predict` returns.
    known_scores : (rows, Q) array
    known_targets
        What is known of the targets of these rows, like ``targets``.
    """

    def scores(self, estimator, X):
        if X is self.X:
            return self.sequences, self.known_scores, self.known_targets
        return super().scores(estimator, X)


class RowsAsSamples:
    """Rows of steps as they are, in the place of a `SequenceIndex`."""

    @staticmethod
    def split(rows):
        return rows


class SomeSequences:
    """Some of the sequences of X, each of which is read when it is asked for."""

    def __init__(self, X, index):
        self.X, self.index = X, index

    def __len__(self):
        return len(self.index)

    def __getitem__(self, key):
        chosen = self.index[key]
        return SomeSequences(self.X, chosen) if np.ndim(chosen) else self.X[int(chosen)]


class OutOfReach:
    """An X that lies in shards, from where it is not fetched."""

    def __getitem__(self, i):
        raise TypeError(
            "scoring reads X itself, whose sequences lie in the partitions of X: pass X_val and y_val, or a scorer "
            "that looks at predictions alone"
        )


def _sequences_for(scorer, held_out):
    """The held-out sequences of X as a scorer gets them, copied only if they are in memory and it may look at them."""
    if held_out.name == "X_val":
        return held_out.X
    if isinstance(held_out.sequences, ShardedSequences):
        return SomeSequences(OutOfReach(), held_out.index)
    if isinstance(scorer, BaseScorer) or isinstance(held_out.sequences, LazySequences):
        return SomeSequences(held_out.X, held_out.index)
    return select(held_out.X, held_out.index)


def _form_of(held_out):
    """The index of the held-out sequences; those of which padding was left out are ragged."""
    sequences = held_out.sequences
    kind = "ragged" if sequences.n_padded else sequences.kind
    return SequenceIndex(sequences.lengths[held_out.index], kind)
