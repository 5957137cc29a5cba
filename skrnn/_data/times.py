"""Steps at uneven times: the time since the last step, and since each feature was last seen."""

from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np

from skrnn._data.missing import last_seen
from skrnn._data.numbers import cell_name
from skrnn._data.sequences import Sequences
from skrnn._data.units import learn_units
from skrnn._plain import plain


@plain
@dataclass(frozen=True)
class Times:
    """What is known of the times of steps.

    Parameters
    ----------
    column : int or None
        Which feature of a step of X is its time; None: steps follow each other at intervals of 1.
    n_features : int
        Features of a step without it.
    since : {"", "input", "decay"}
        Whether the network also reads the time since each feature was last seen, or reads it for decays.
    n_directions : int
        In how many directions it reads, for decays.
    name : str
        What messages call the column: the parameter of the estimator.
    means : (1 + n_features,) float64 array, optional
        The mean time from one step to the next, and of each feature since it was last seen: the units of times.
    """

    column: int | None
    n_features: int
    since: str
    n_directions: int = 1
    name: str | int | None = ""
    means: np.ndarray | None = None

    @property
    def n_inputs(self):
        """Numbers that are added to a step; the last ones are of decays alone, those of each direction."""
        n_since = {"": 0, "input": 1, "decay": self.n_directions}[self.since]
        return (self.column is not None) + self.n_features * n_since

    @property
    def state_width(self):
        """Columns of a state: the time of the last step, whether there was one, and when each feature was last seen."""
        return 2 + self.n_features * bool(self.since)

    def without(self, values):
        """Values (..., features of X) without the times."""
        return values if self.column is None else np.delete(values, self.column, axis=-1)

    def split(self, sequences, state=None, name="X"):
        """Sequences without their times, and the inputs that are added to each step.

        Parameters
        ----------
        sequences : Sequences
            As the user gave them, each with steps of its own.
        state : (n, state_width) array, optional
            Of steps before; None for none.
        name : str
            What messages call the sequences.

        Returns
        -------
        Sequences
        (total, …) array
        (n, state_width) array
            The state after the last steps.
        """
        elapsed, since, after = self._gaps(sequences, state, name)
        parts = []
        if self.column is not None:
            parts.append(np.log1p(elapsed / self.means[0])[:, np.newaxis])
        if self.since == "input":
            parts.append(np.log1p(since / self.means[1:]))
        if self.since == "decay":
            parts.append(since / self.means[1:])
            if self.n_directions == 2:
                parts.append(self._gaps(_reversed(sequences, self.column))[1][::-1] / self.means[1:])
        steps = sequences.replace(values=self.without(sequences.values))
        return steps, np.concatenate(parts, axis=1, dtype=sequences.dtype, casting="same_kind"), after

    def gradient(self, sequences, d):
        """The gradient (total,) in the times of steps, given that in the inputs that `split` adds, (total, …)."""
        elapsed, since, _ = self._gaps(sequences)
        # log(1 + elapsed / mean)
        delapsed = d[:, 0] / (self.means[0] + elapsed)
        if not self.since:
            return self._gaps_gradient(sequences, delapsed)
        n, means = self.n_features, self.means[1:]
        if self.since == "input":
            # log(1 + since / mean)
            return self._gaps_gradient(sequences, delapsed, d[:, 1:] / (means + since))
        # since / mean, and for the other direction that in the reversed sequences, of which each has minus its times
        gradient = self._gaps_gradient(sequences, delapsed, d[:, 1 : 1 + n] / means)
        if self.n_directions == 2:
            backward = _reversed(sequences, self.column)
            gradient -= self._gaps_gradient(backward, np.zeros_like(delapsed), d[::-1, 1 + n :] / means)[::-1]
        return gradient

    def _gaps_gradient(self, sequences, delapsed, dsince=None):
        """The gradient (total,) in times, given those in what `_gaps` returns of sequences without a state before."""
        starts, lengths = sequences.starts, sequences.lengths
        before = np.arange(len(delapsed)) - 1
        before[starts] += 1
        # elapsed[i] = times[i] − times[i − 1], at a first step 0
        gradient = delapsed.copy()
        np.subtract.at(gradient, before, delapsed)
        if dsince is not None:
            # since[i] = times[i] − times[the row where the feature was last seen before i, or the first one]
            rows = last_seen(np.isnan(self.without(sequences.values)), starts, lengths)
            first = np.repeat(starts, lengths)[:, np.newaxis]
            source = np.where(rows < 0, first, rows)[before]
            source[starts] = first[starts]
            gradient += dsince.sum(axis=1)
            np.subtract.at(gradient, source, dsince)
        return gradient

    def learn(self, sequences, index, weights=None):
        """The same with the means over the sequences `index`, of the weights (N,), and the mean of the times."""
        gaps = sequences.map(partial(_all_gaps, times=self))
        center = learn_units(gaps, index, weights).center
        means = np.where(center[1:] > 0, center[1:], 1.0)       # NaN without any
        return Times(self.column, self.n_features, self.since, self.n_directions, self.name, means), float(center[0])

    def _gaps(self, sequences, state=None, name="X"):
        """The time since the last step (total,), since each feature was last seen (total, D), and the state after.

        Both are 0 at the first step, and since[i] is up to the step i from one before it. A feature that was not seen
        counts from the first step on.
        """
        starts, lengths, dtype = sequences.starts, sequences.lengths, sequences.dtype
        state = np.zeros((len(sequences), self.state_width), dtype) if state is None else state
        before, begun = state[:, 0], state[:, 1] > 0
        times = self._times_of(sequences, begun, before, name)
        first = np.zeros(len(times), bool)
        first[starts] = True
        previous = np.where(first, np.repeat(np.where(begun, before, times[starts]), lengths), np.roll(times, 1))
        last = times[starts + lengths - 1]
        origin = last if self.column is None else np.zeros_like(last)     # steps are counted from the last one on
        if not self.since:
            return times - previous, None, np.stack([last - origin, np.ones_like(last)], axis=1)
        missing = np.isnan(self.without(sequences.values))
        initial = np.where(begun[:, np.newaxis], state[:, 2:], times[starts][:, np.newaxis])
        rows = last_seen(missing, starts, lengths)
        seen = np.where(rows < 0, np.repeat(initial, lengths, axis=0), times[rows])
        seen_before = np.where(first[:, np.newaxis], np.repeat(initial, lengths, axis=0), np.roll(seen, 1, axis=0))
        after = np.column_stack([last - origin, np.ones_like(last), seen[starts + lengths - 1] - origin[:, np.newaxis]])
        return times - previous, times[:, np.newaxis] - seen_before, after

    def _times_of(self, sequences, begun, before, name):
        """The times of all steps (total,), that continue sequences that have begun."""
        if self.column is None:
            steps = np.arange(len(sequences.values)) - np.repeat(sequences.starts, sequences.lengths)
            return (steps + np.repeat(begun, sequences.lengths)).astype(sequences.dtype)
        times = np.ascontiguousarray(sequences.values[:, self.column])
        self._check(sequences, times, np.where(begun, before, -np.inf), name)
        return times

    def _check(self, sequences, times, before, name):
        """Raise a ValueError that names the first time that is missing, less than that of the step before, or so large
        that differences overflow.
        """
        previous = np.roll(times, 1)
        previous[sequences.starts] = before
        large = np.abs(times) > np.finfo(times.dtype).max / 2
        wrong = ~(times >= previous) | large
        if not wrong.any():
            return
        row = int(np.argmax(wrong))
        sequence, step = sequences.locate(row)
        where = f"times={self.name!r}: {cell_name(name, (sequence,))}, step {step}, "
        if np.isnan(times[row]):
            raise ValueError(where + "has no time, expected a number at every step: fill it in, or leave the step out")
        if large[row]:
            raise ValueError(
                f"{where}has the time {times[row]:.4g}, too large for differences in {times.dtype}: scale it"
            )
        raise ValueError(
            f"{where}has the time {times[row]:.15g}, less than {previous[row]:.15g} at the step before: the steps of a "
            "sequence must be in the order of their times, so sort them"
        )


def _all_gaps(sequences, times):
    """Sequences of the time of each step, and the times since, NaN at the first step, which has no step before."""
    elapsed, since, _ = times._gaps(sequences)
    parts = [sequences.values[:, [times.column or 0]], elapsed[:, np.newaxis]] + ([] if since is None else [since])
    values = np.concatenate(parts, axis=1)
    values[sequences.starts, 1:] = np.nan
    return sequences.replace(values=values)


def _reversed(sequences, column):
    """Sequences in memory from their last step to their first, the last sequence first, in reversed time."""
    values = sequences.values[::-1].copy()
    if column is not None:
        values[:, column] *= -1
    return Sequences(values, sequences.lengths[::-1], sequences.kind)


def column_of_times(times, names, n_features):
    """The index of the feature of a step that `times` names, or None for None.

    Parameters
    ----------
    times : str, int or None
    names : sequence of str, or None
        Of the features of a step.
    n_features : int
        Of a step, with the time.
    """
    if times is None:
        return None
    if isinstance(times, Integral):
        if not -n_features <= times < n_features:
            raise ValueError(
                f"times={times} is no feature of X, whose steps have {n_features}: expected an index from "
                f"{-n_features} to {n_features - 1}"
            )
        column = int(times) % n_features
    else:
        if names is None:
            raise ValueError(
                f"times={times!r} is a name, but the features of a step of X have none: pass the index of the time "
                "among them, or frames with columns"
            )
        if times not in names:
            raise ValueError(f"times={times!r} is no feature of X: expected one of {list(names)}, or an index")
        column = list(names).index(times)
    if n_features == 1:
        raise ValueError(
            f"times={times!r} is the only feature of X, and a time is none that is learned from: expected others "
            "beside it, or leave times out"
        )
    return column
