"""What explanations share: the net, X as it reads it, the output, the baseline, and the form of what is returned."""

from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Number, Real

import numpy as np

from skrnn._data.sequences import SequenceIndex
from skrnn._messages import shown, with_message
from skrnn._sklearn import fitted_of
from skrnn.inspection._arguments import step_of_each
from skrnn.inspection._explained import Explained
from skrnn.inspection._forms import in_form_of
from skrnn.inspection._nets import net_and_inputs
from skrnn.inspection._outputs import output_of
from skrnn.inspection._vectors import Vectors

MEAN = "mean"


def is_sequences(baseline):
    """Whether a baseline is like X, and neither left out nor one number for all of it."""
    of_all = isinstance(baseline, str | Number | np.bool_) or getattr(baseline, "ndim", None) == 0
    return not of_all and baseline is not None


def inputs_of_baseline(estimator, baseline):
    """Sequences of a baseline as the net of an estimator reads them: after the steps of the Pipelines before it."""
    with _in_baseline():
        return net_and_inputs(estimator, baseline)[1]


@contextmanager
def _in_baseline():
    """Errors that say that what they call X is the baseline."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise with_message(error, f"In baseline, which is read as X is: {error}") from error


@dataclass(frozen=True)
class Block:
    """Some of the sequences of X, and what is explained of them.

    Parameters
    ----------
    X : Vectors
    baseline : Vectors or None
    steps : (n,) int array, or None
        Whose output is explained, with outputs per step.
    which : (n,) int array
        Which of the outputs.
    numbers : (n,) int array
        The indices of the sequences in X.
    """

    X: Vectors
    baseline: Vectors
    steps: np.ndarray
    which: np.ndarray
    numbers: np.ndarray

    def of(self, index):
        """Steps, outputs and indices in X of the sequences `index` of the block."""
        return None if self.steps is None else self.steps[index], self.which[index], self.numbers[index]


class Explanation:
    """An estimator's net, X and the output that is explained.

    Parameters
    ----------
    estimator, X, target, step
        As in `integrated_gradients`.
    baseline : float, "mean", or like X, optional
        None where there is none.
    allow_nan : bool
        Whether the baseline may be NaN, which is missing.
    """

    def __init__(self, estimator, X, target, step, baseline=None, allow_nan=False):
        self.net, self.X = net_and_inputs(estimator, X)
        if is_sequences(baseline):
            baseline = inputs_of_baseline(estimator, baseline)
        fitted = fitted_of(self.net)
        self.reading = fitted.reading
        self.sequences = fitted.reading.check(self.net, self.X)
        self.steps = _steps_of(fitted.model.network, self.sequences, step)
        self.explained = Explained(fitted, output_of(fitted, target))
        self.baseline = self._read_baseline(baseline, allow_nan)
        self._check_numbers()

    def _read_baseline(self, baseline, allow_nan):
        """A number, "mean", or sequences that have been checked."""
        if baseline is None:
            return None
        if isinstance(baseline, str) and baseline == MEAN:
            self.explained.reader.check_means()
            return baseline
        if isinstance(baseline, Real) and not isinstance(baseline, bool):
            missing = self.reading.missing != "error" and not self.reading.n_categories
            if not np.isfinite(baseline) and not (np.isnan(baseline) and allow_nan and missing):
                others = ", or NaN with a net that takes missing values" * allow_nan
                raise ValueError(f"baseline={baseline}: expected a finite number{others}")
            return float(baseline)
        if not is_sequences(baseline):
            raise ValueError(f'baseline={shown(baseline)}: expected a number, "mean", or sequences like those of X')
        with _in_baseline():
            sequences = self.reading.check(self.net, baseline)
        if not np.array_equal(sequences.lengths, self.sequences.lengths):
            raise ValueError(
                f"baseline has {_sizes(sequences)}, but X {_sizes(self.sequences)}: expected one for each sequence of "
                "X, with as many steps"
            )
        return sequences

    def _check_numbers(self):
        """Raise a ValueError for what the numbers alone tell: categories, the order of times, gaps in the baseline."""
        reading, of_baseline = self.reading, isinstance(self.baseline, SequenceIndex)
        with_times = reading.times is not None and reading.times.column is not None
        if not (of_baseline or reading.n_categories or with_times):
            return
        for numbers in self._batches():
            sequences, X = self._vectors(self.sequences, numbers)
            reading.prepare(sequences)
            if of_baseline:
                with _in_baseline():
                    reading.prepare(self._vectors(self.baseline, numbers)[0])
                self._baseline_of(X, numbers)

    def _batches(self):
        for batch in self.explained.batches(self.sequences.lengths):
            yield np.arange(batch.start, batch.stop)

    def blocks(self):
        """The sequences in blocks, some at a time, in order."""
        for numbers in self._batches():
            sequences, X = self._vectors(self.sequences, numbers)
            steps = None if self.steps is None else self.steps[numbers]
            which = self.explained.output.choose(self.explained.scores_of_X(X, steps, numbers))
            yield sequences, Block(X, self._baseline_of(X, numbers), steps, which, numbers)

    def _vectors(self, sequences, numbers):
        loaded, index = sequences.load(numbers)
        sequences = loaded.copy_of(index).replace(numbers=numbers)
        return sequences, self.explained.reader.read(sequences)

    def _baseline_of(self, X, numbers):
        reader = self.explained.reader
        if self.baseline is None:
            return None
        if isinstance(self.baseline, float | str):
            return reader.constant(X, self.baseline)
        _, baseline = self._vectors(self.baseline, numbers)
        for of_X, of_baseline, lengths in (
            (X.numbers, baseline.numbers, X.lengths), (X.static, baseline.static, np.ones(len(X), np.intp))
        ):
            differ = np.flatnonzero((np.isnan(of_X) != np.isnan(of_baseline)).any(axis=1))
            if len(differ):
                i = numbers[np.repeat(np.arange(len(X)), lengths)[differ[0]]]
                raise ValueError(
                    f"baseline[{i}] is missing where X[{i}] is not, or the other way round: expected numbers where X "
                    "has numbers, and NaN where it is missing"
                )
        return baseline

    def predicted(self):
        """What the output of the first sequence is called, and its value."""
        _, block = next(self.blocks())
        value = self.explained.values(block.X, *block.of(slice(None)))
        return self.explained.output.name_of(block.which[0]), float(value[0])

    def of_blocks(self, function):
        """What function(sequences, block) returns of all blocks, (rows of steps, rows of sequences), put together."""
        parts = [function(sequences, block) for sequences, block in self.blocks()]
        return [None if part[0] is None else np.concatenate(part) for part in zip(*parts, strict=True)]

    def attributions(self, function):
        """Attributions in the form of X, given a function of blocks that returns `Vectors`."""
        merge = self.explained.reader.merge
        of_steps, of_static = self.of_blocks(lambda sequences, block: merge(function(block), sequences))
        return self.in_form(of_steps, of_static)

    def in_form(self, of_steps, of_static):
        """Numbers for the features of steps (total, F), and static ones (n, S) or None, in the form of X."""
        return in_form_of(self.X, self.reading, self.sequences, of_steps, of_static)


def _steps_of(network, sequences, step):
    """The step of each sequence whose output is explained, (n,); None where a sequence has one output."""
    if step is None and not network.per_step:
        return None
    return step_of_each(-1 if step is None else step, network, sequences, with_padding=True)


def _sizes(sequences: SequenceIndex):
    lengths = sequences.lengths
    return f"{len(lengths)} sequences of {lengths.min()} to {lengths.max()} steps"
