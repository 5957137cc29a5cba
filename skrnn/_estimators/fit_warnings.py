"""A warning of a net that has learned nothing."""

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._estimators.unit_checks import constant_outputs
from skrnn._network.scores import scores_of
from skrnn._warnings import warn_user
from skrnn.exceptions import NothingLearnedWarning

# A loss that is less than the best constant's by a smaller fraction of it counts as no less
MIN_EXPLAINED = 0.01


def warn_if_nothing_learned(estimator, model, targets, examples, held_out=None):
    """Warn if a net that has been trained is hardly better than a constant prediction, on what it was trained on.

    With early stopping also if it is not on what was held out. Where nothing but a constant can be learned there is
    nothing to say.

    Parameters
    ----------
    estimator : BaseRNN
        For its parameters.
    model : Model
    targets : ClassTargets or NumberTargets
    examples : Examples
        What the model was trained on.
    held_out : HeldOut, optional
    """
    rows, y, weights = _known_rows(examples)
    known = y >= 0 if model.loss.of_classes and y.ndim > 1 else None
    if len(y) < 2 or len(constant_outputs(y, known=known)) == (y.shape[1] if y.ndim > 1 else 1):
        return
    constant = _best_constant(model.loss, y, weights, model.network.n_outputs).astype(model.dtype)
    message = _nothing_of_training(model, examples, rows, y, weights, constant)
    judged = held_out is not None and estimator.scoring in ("loss", None)
    if message is None and judged and not targets.are_constant(held_out.values):
        message = _nothing_that_holds(model, targets, held_out, constant, estimator.scoring)
    if message is not None:
        name = estimator._name_in_messages
        about = (name, model.loss.name, model.network.n_outputs)
        warn_user(
            f"{name} has learned {message}. {_what_to_try(estimator, model.history.n_epochs)}", NothingLearnedWarning,
            about,
        )


def _nothing_of_training(model, examples, rows, y, weights, constant):
    """What to say where the loss of the training data, `_known_rows`, is hardly less than that of a constant (Q,)."""
    loss, history = model.loss, model.history
    of_constant, _ = loss.value_and_gradient(np.tile(constant, (len(y), 1)), y, weights)
    # A log-likelihood has no zero: where the squared error falls by a fraction of it, it falls by half of that fraction
    enough = of_constant - 0.5 * MIN_EXPLAINED if loss.is_likelihood else (1 - MIN_EXPLAINED) * of_constant
    # With dropout, or of theta before the updates of its epoch, the record is larger than the loss
    if history.epochs[history.last.best_iter - 1].loss <= enough:
        return None
    scores = scores_of(model.network, model.theta, examples.sequences, examples.used)[rows]
    value, _ = loss.value_and_gradient(scores, y, weights)
    if value <= enough:
        return None
    return (
        f"{'hardly any' if value < of_constant else 'no'}thing: its loss on what it was trained on is {value:.4g}, "
        f"that of the best constant prediction {of_constant:.4g}"
    )


def _nothing_that_holds(model, targets, held_out, constant, scoring):
    """What to say where the best score of what is held out is not above that of a constant (Q,)."""
    score = model.history.last.best_score
    of_constant = held_out.score_of_constant(constant, targets, model.loss, scoring)
    if score > of_constant:
        return None
    return (
        f"nothing that holds for the {len(held_out.index)} sequences held out: its best validation score is "
        f"{score:.4g}, that of the best constant prediction {of_constant:.4g}"
    )


def _known_rows(examples):
    """Of the scores of the sequences in use the rows with weight, an index, with their targets and weights."""
    sequences, used, y, weights = examples.sequences, examples.used, examples.targets, examples.weights
    if len(used) < len(sequences):
        rows = rows_of(sequences.starts[used], sequences.lengths[used]) if examples.per_step else used
        y, weights = y[rows], None if weights is None else weights[rows]
    if weights is None:
        return slice(None), y, None
    rows = np.flatnonzero(weights)
    return rows, y[rows], weights[rows]


def _best_constant(loss, y, weights, n_outputs):
    """`Loss.best_constant`, also where nothing is known of some outputs: 0 there."""
    constant = loss.best_constant(y, weights, n_outputs)
    return np.where(np.isnan(constant), 0.0, constant)


def _what_to_try(estimator, n_epochs):
    """Advice by the parameters that a fit had."""
    lbfgs = estimator.solver == "lbfgs"
    ways = [f"a greater max_iter or {'max_fun' if lbfgs else 'n_iter_no_change'} (it ended after {n_epochs} epochs)"]
    if not lbfgs:
        ways.append(f"another learning_rate_init than {estimator.learning_rate_init}")
    if estimator.alpha > 1e-3:
        ways.append(f"a smaller alpha than {estimator.alpha}")
    if estimator.dropout > 0 or estimator.recurrent_dropout > 0:
        ways.append("less dropout")
    if not estimator.standardize:
        ways.append("standardize=True")
    return f"Try {', '.join(ways)}"
