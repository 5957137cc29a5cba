"""Times to an event: y as what is known of each interval of time, and scores as hazards and survival."""

from dataclasses import dataclass
from numbers import Integral
from typing import ClassVar

import numpy as np
from scipy.special import log_expit

from skrnn._data.numbers import as_numbers
from skrnn._data.target_checks import check_finite_rows, check_one_each
from skrnn._estimators.concordance import concordance_index
from skrnn._estimators.target_rows import TargetRows
from skrnn._messages import shown
from skrnn._plain import plain
from skrnn._training.target_statistics import weighted_quantile

# What is known of a sequence: whether its event was seen, and the time of it or of the last look
ROW = np.dtype([("event", bool), ("time", np.float64)])


@plain
@dataclass(frozen=True)
class SurvivalTargets:
    """What is known of times to an event.

    Parameters
    ----------
    edges : (K + 1,) float64 array
        0, and the ends of K intervals of time, (edges[k], edges[k + 1]].
    intervals : int or tuple of float
        What the estimator's parameter was: their number, or their edges.
    """

    min_validated: ClassVar = 2     # a pair

    edges: np.ndarray
    intervals: int | tuple[float, ...]

    @staticmethod
    def read(y, sequences, per_step):
        """Checked targets, `ROW` for each sequence; raise a ValueError that names what is no event or time."""
        event, time = _event_and_time(y, sequences)
        check_finite_rows(time, sequences, per_step)
        for bad, what in ((~np.isin(event, (0, 1)), event), (time < 0, time)):
            if bad.any():
                row = int(np.argmax(bad))
                where = sequences.label("y", row, per_step=per_step)
                raise ValueError(f"{where} has the {_expected(what is event, what[row], event, time)}")
        rows = np.empty(len(time), ROW)
        rows["event"], rows["time"] = event, time
        return TargetRows(rows)

    @classmethod
    def learn(cls, rows, intervals):
        """Intervals of time: so many, with equal numbers of the events with weight, or those with the given edges."""
        weights_of_all = np.ones(len(rows)) if rows.weights is None else rows.weights
        events = rows.values["event"] & (weights_of_all > 0)
        times, weights = rows.values["time"][events], weights_of_all[events]
        if not len(times):
            n = int(np.count_nonzero(weights_of_all))
            raise ValueError(f"y has no event to learn from: of {n} sample{'s' * (n > 1)} with weight all are censored")
        if isinstance(intervals, Integral):
            asked, ends = int(intervals), _quantiles(times, weights, int(intervals))
        else:
            ends = given_edges(intervals)
            asked = tuple(ends.tolist())
        edges = np.unique(np.append(0.0, ends))
        if len(edges) < 2 or times.min() > edges[-1]:
            raise ValueError(
                f"y has no event to learn from in the intervals of time up to {edges[-1]:g}: the events are at "
                f"{times.min():g} to {times.max():g}"
            )
        return cls(edges, asked)

    @classmethod
    def known(cls, n_outputs, intervals, unique_times=None):
        """Intervals of so many outputs: by their edges, which are given unless `intervals` has them."""
        asked = int(intervals) if isinstance(intervals, Integral) else tuple(given_edges(intervals).tolist())
        if unique_times is None and isinstance(asked, int):
            raise ValueError(
                f"unique_times must be passed to a net that is not fitted, with intervals={asked}, a number of "
                "intervals that a fit learns: 0 and the ends of the intervals; or set intervals to these"
            )
        name = "intervals" if unique_times is None else "unique_times"
        edges = np.append(0.0, given_edges(asked if unique_times is None else unique_times, name))
        if len(edges) != n_outputs + 1:
            raise ValueError(
                f"{name} has {len(edges) - 1} intervals, but head.V {n_outputs} columns: expected one for each"
            )
        return cls(edges, asked)

    def learn_units(self, rows, sequences, per_step, loss):
        """What is known of targets in the units that the loss takes: intervals have none."""
        return self

    @property
    def n_outputs(self):
        """Intervals: the network has an output for each."""
        return len(self.edges) - 1

    def check(self, rows):
        """Targets have one form."""

    def encode(self, rows, sequences, per_step, loss):
        """What is known of each interval, (rows, K): 0 where it was survived, 1 where the event was in it, else NaN.

        Who is censored has survived the intervals of which that time is in the second half (Gensheimer & Narasimhan).
        """
        event, time, ends = rows.values["event"], rows.values["time"], self.edges[1:]
        of_event = np.searchsorted(ends, time, side="left")
        middles = 0.5 * (self.edges[:-1] + ends)
        survived = np.where(event, of_event, np.searchsorted(middles, time, side="right"))
        number = np.arange(self.n_outputs)
        encoded = np.where(number < survived[:, np.newaxis], 0.0, np.nan)
        encoded[event[:, np.newaxis] & (number == of_event[:, np.newaxis])] = 1.0
        return np.ascontiguousarray(encoded, dtype=sequences.dtype)

    def check_validation(self, rows, sequences, per_step, loss, by_loss):
        """Every target can be validated on."""

    def class_weights(self, rows, class_weight):
        """Weights of classes: None."""
        return None

    def weights(self, rows, of_classes):
        """0 for those of whom no interval is known, else 1; None if some is known of all."""
        known = rows.values["event"] | (rows.values["time"] >= 0.5 * self.edges[1])
        return None if known.all() else known.astype(np.float64)

    def are_known(self, rows):
        """Whether the loss of these targets is finite: yes."""
        return True

    def decode(self, scores, loss):
        """The risk (n,) of raw scores: the sum over the intervals' ends of the cumulative hazard."""
        return cumulative_hazard(scores)[:, 1:].sum(axis=1)

    def score(self, rows, scores, loss, weights):
        """The concordance index of raw scores, for early stopping."""
        return self.measure(concordance_index, rows, self.decode(scores, loss), weights)

    def measure(self, metric, rows, predicted, weights):
        """A metric of predicted rows."""
        return metric(rows, predicted, sample_weight=weights)

    def strata(self, rows):
        """What the parts of a split should have in equal shares: events and censored."""
        return rows.values["event"]

    def coincidences(self, rows, sequences, per_step):
        """What y may have been meant to be: nothing else."""
        return []

    def are_constant(self, values):
        """Whether the score of these targets says nothing of predictions: it is then not defined."""
        return False

    def attributes(self):
        """What `fit` publishes."""
        return {"unique_times_": self.edges.copy()}


def cumulative_hazard(scores):
    """−log of the survival at the edges of the intervals, (n, K + 1), of raw scores (n, K), the log odds of hazards."""
    sums = np.cumsum(-log_expit(-scores), axis=1)
    return np.concatenate([np.zeros_like(sums[:, :1]), sums], axis=1)


def given_edges(intervals, name="intervals"):
    """Edges of intervals that a user gave, without 0; raise a ValueError unless they are times in increasing order."""
    edges = as_numbers(intervals, name).astype(np.float64)
    good = edges.ndim == 1 and bool(np.isfinite(edges).all()) and bool((np.diff(edges) > 0).all())
    if not (good and edges.size and edges[0] >= 0 and edges[-1] > 0):
        raise ValueError(
            f"{name}={shown(intervals)}: expected a number of intervals, or their ends, positive times in "
            "increasing order"
        )
    return edges[edges > 0]


def _quantiles(times, weights, n):
    """The ends of n intervals with equal weights of events, (n,); fewer different ones where times repeat."""
    column = times[:, np.newaxis]
    return np.append([weighted_quantile(column, weights, k / n)[0] for k in range(1, n)], times.max())


def _event_and_time(y, sequences):
    """The two fields of a structured array, or the two columns of another one: events and times, (n,) each."""
    names = getattr(getattr(y, "dtype", None), "names", None)
    if names is not None:
        if len(names) != 2 or y.ndim != 1:
            raise ValueError(
                f"y has shape {y.shape} and the fields {list(names)}, expected (n,) and two of them, event and time"
            )
        return as_numbers(y[names[0]], f"y[{names[0]!r}]"), as_numbers(y[names[1]], f"y[{names[1]!r}]")
    values = as_numbers(check_one_each(y, sequences.lengths), "y")
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(
            f"y has shape {values.shape}, expected a structured array of an event (bool) and a time for each "
            "sequence, as in scikit-survival, or two columns of these"
        )
    return values[:, 0], values[:, 1]


def _expected(of_event, value, event, time):
    """The rest of a message of an event or a time that cannot be."""
    if not of_event:
        return f"time {value:g}, expected a number that is not negative"
    swapped = "; the columns are in the other order: the event first, then the time" * bool(np.isin(time, (0, 1)).all())
    return f"event {value:g}, expected True, where the event was seen, or False{swapped}"
