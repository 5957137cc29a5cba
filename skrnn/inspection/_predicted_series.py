"""What an estimator predicts along a series: the steps of a sequence, its outputs, or sequences in their order."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import is_outlier_detector

from skrnn._estimators.base import BaseRNN
from skrnn._language.language_model import RNNLanguageModel
from skrnn._messages import kind_of, shown
from skrnn._sklearn import select
from skrnn._training.losses import Quantile
from skrnn.forecasting import ConformalForecaster
from skrnn.inspection._arguments import check_index
from skrnn.inspection._nets import innermost, net_and_inputs

ALONG = ("auto", "steps", "outputs", "sequences")
# The part of targets that is between the quantiles of a distribution, if nobody asks for another one
COVERAGE = 0.9


class Series(NamedTuple):
    """Predictions along a series; fields as the parameters of `SequencePredictionDisplay`."""

    along: str
    y_pred: np.ndarray
    y_true: np.ndarray | None = None
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    interval_name: str | None = None
    classes: np.ndarray | None = None
    output_names: list | None = None

    def without_padding(self, n_steps):
        """The first steps, which are no padding."""
        along_steps = {name: getattr(self, name) for name in ("y_pred", "y_true", "lower", "upper")}
        return self._replace(**{
            name: None if values is None else values[:n_steps] for name, values in along_steps.items()
        })


def series_of(estimator, X, y, sequence, along, interval):
    """The Series that an estimator predicts; the arguments are those of `SequencePredictionDisplay.from_estimator`."""
    if not isinstance(along, str) or along not in ALONG:
        raise ValueError(f"along={shown(along)}: expected one of {list(ALONG)}")
    inner = innermost(estimator)
    if is_outlier_detector(inner) or isinstance(inner, RNNLanguageModel):
        raise TypeError(
            f"estimator is {kind_of(inner)}, which predicts no targets: pass what it predicts, such as the score_steps "
            "of a detector, to from_predictions"
        )
    read = _probabilities if hasattr(estimator, "predict_proba") else _numbers
    series = read(estimator, inner, X, y, sequence, along, interval)
    if series.along != "steps" or inner.missing == "error":
        return series
    net, inputs = net_and_inputs(estimator, X)
    fitted = net._get_fitted()
    n_steps = fitted.reading.read(net, inputs, dtype=fitted.model.dtype).lengths[sequence]
    return series.without_padding(n_steps)


def _probabilities(estimator, inner, X, y, sequence, along, interval):
    """The Series of a classifier."""
    predicted, classes = estimator.predict_proba(X), estimator.classes_
    if isinstance(predicted, list):
        raise ValueError(
            f"estimator predicts {len(predicted)} columns of classes: pass the labels and the probabilities of one of "
            "them to from_predictions"
        )
    if interval not in ("auto", None):
        raise ValueError(f"interval={shown(interval)} is for numbers, and the estimator predicts classes")
    along = _direction(inner, along, None)
    y_pred, y_true = _part(predicted, along, sequence), _targets(y, along, sequence, len(predicted))
    model = _model(inner)
    if model is not None and model.loss.name == "multilabel_log_loss":
        y_true = None if y_true is None else as_numbers(y_true)
        return Series(along, as_numbers(y_pred), y_true, output_names=[f"P({label})" for label in classes])
    y_true = None if y_true is None else as_labels(y_true)
    return Series(along, as_probabilities(y_pred), y_true, classes=np.asarray(classes))


def _numbers(estimator, inner, X, y, sequence, along, interval):
    """The Series of a regressor, with an interval between two quantiles if it knows them."""
    predicted, levels = estimator.predict(X), _levels(inner)
    along = _direction(inner, along, _n_outputs(inner, predicted, levels))
    wanted = _wanted_levels(inner, levels, interval)
    y_true = _targets(y, along, sequence, len(predicted))
    y_pred = np.asarray(_part(predicted, along, sequence), dtype=float)
    if levels is not None:
        quantiles, y_pred = y_pred, y_pred[..., np.argmin(np.abs(levels - 0.5))]
    lower, upper, name = None, None, None
    if wanted is not None:
        if levels is None or not np.isin(wanted, levels).all():
            net, inputs = net_and_inputs(estimator, X)
            found = net.predict_quantile(inputs, wanted)
            quantiles, levels = np.asarray(_part(found, along, sequence), dtype=float), np.array(wanted)
        lower, upper = (as_numbers(quantiles[..., np.flatnonzero(levels == level)[0]]) for level in wanted)
        name = _name_of_interval(*wanted)
    return Series(along, as_numbers(y_pred), None if y_true is None else as_numbers(y_true), lower, upper, name)


def _n_outputs(inner, predicted, levels):
    """The number of outputs of a sequence, None where there is one."""
    shape = np.shape(predicted)[1:]
    if levels is not None:
        shape = shape[:-1]
    return None if _is_per_step(inner) or shape in ((), (1,)) else shape[0]


def _wanted_levels(inner, levels, interval):
    """The lower and the upper quantile of the interval, or None for none."""
    if interval is None or (interval == "auto" and levels is None and not _knows_quantiles(inner)):
        return None
    if interval == "auto" and levels is not None:
        return (levels[0], levels[-1]) if len(levels) > 1 else None
    share = COVERAGE if interval == "auto" else interval
    if isinstance(share, bool) or not isinstance(share, Real) or not 0 < share < 1:
        raise ValueError(f"interval={shown(interval)}: expected a number between 0 and 1, 'auto' or None")
    wanted = tuple(round(level, 12) for level in ((1 - share) / 2, (1 + share) / 2))
    if levels is not None and np.isin(wanted, levels).all():
        return wanted
    if not _knows_quantiles(inner):
        there = f"the quantiles {levels.tolist()}" if levels is not None else "no quantiles"
        raise ValueError(
            f"interval={shown(interval)} needs the quantiles {wanted[0]:g} and {wanted[1]:g}, and {kind_of(inner)} "
            f"predicts {there}: fit a net with loss='gaussian' or with loss='quantile' and a list, or leave it out"
        )
    return wanted


def _name_of_interval(low, high):
    """What the legend says."""
    if abs(low + high - 1) < 1e-9:
        return f"{high - low:.0%} interval".replace("%", " %")
    return f"quantiles {low:g} to {high:g}"


def _model(inner):
    return inner._get_fitted().model if isinstance(inner, BaseRNN) else None


def _is_per_step(inner):
    return isinstance(inner, BaseRNN) and _model(inner).network.per_step


def _knows_quantiles(inner):
    """Whether a net predicts any quantile."""
    return isinstance(inner, BaseRNN) and hasattr(inner, "predict_quantile")


def _levels(inner):
    """The quantiles that are the last dimension of predictions, increasing; None where these have none."""
    if isinstance(inner, ConformalForecaster):
        return np.asarray(inner.quantiles, dtype=float)
    loss = None if _model(inner) is None else _model(inner).loss
    if isinstance(loss, Quantile) and loss.knows_quantiles:
        return np.asarray(loss.parameter, dtype=float)
    return None


def _direction(inner, along, n_outputs):
    """What the series goes along; `n_outputs` is the number of outputs of a sequence, None where it has but one."""
    per_step = _is_per_step(inner)
    if per_step and along in ("auto", "steps"):
        return "steps"
    if per_step or along == "steps":
        has = "an output for each step" if per_step else "no outputs for steps (return_sequences=True)"
        raise ValueError(f"along={along!r} does not go with the estimator: {kind_of(inner)} has {has}")
    if along == "outputs" and n_outputs is None:
        raise ValueError("along='outputs' needs several outputs of each sequence, and the estimator predicts one")
    if along != "auto":
        return along
    if n_outputs is None:
        return "sequences"
    if isinstance(inner, ConformalForecaster):
        return "outputs"
    raise ValueError(
        f"the estimator predicts {n_outputs} outputs of each sequence: pass along='outputs' if they are steps ahead, "
        "or along='sequences' for a panel of each over the sequences of X"
    )


def _part(values, along, sequence):
    """What the series is of all predictions."""
    if along == "sequences":
        return values
    return values[check_index(sequence, len(values), "sequence", "sequences of X")]


def _targets(y, along, sequence, n):
    """What the series is of y, or None."""
    if y is None:
        return None
    if len(y) != n:
        raise ValueError(f"y has {len(y)} targets, expected {n}, as many as X has sequences")
    if along == "sequences":
        return y
    found = select(y, [check_index(sequence, n, "sequence", "sequences of X")])
    return np.asarray(found)[0] if hasattr(found, "columns") else next(iter(found))


def as_numbers(values):
    """Values as a float array, None as NaN; a single output has no dimension."""
    values = np.asarray(values, dtype=float)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def as_probabilities(values):
    """Values as a float array, as they are."""
    return np.asarray(values, dtype=float)


def as_labels(values):
    """Labels as a 1-D array of objects."""
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found
