"""Numbers: y as rows that the losses take, and scores as the numbers that the user expects of predict."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from skrnn._data.numbers import as_numbers
from skrnn._data.target_checks import check_finite_rows, check_one_each, first_cell, step_rows
from skrnn._data.units import that_count
from skrnn._estimators.target_rows import known_in_part, mean_over_outputs
from skrnn._estimators.unit_checks import check_units, constant_outputs, warn_of_units
from skrnn._plain import plain


@plain
@dataclass(frozen=True)
class NumberTargets:
    """What a regressor knows of its targets.

    Parameters
    ----------
    shape : tuple
        Of the target of a sequence or step: () or (outputs,).
    center, scale : (outputs,) array, or None
        What is subtracted from targets, and what they are then divided by, before the loss sees them.
    """

    min_validated: ClassVar = 2     # R² and D² compare with a constant

    shape: tuple[int, ...]
    center: np.ndarray | None = None
    scale: np.ndarray | None = None

    @staticmethod
    def read(y, sequences, per_step):
        """Checked targets; raise a ValueError that names what is no finite number."""
        rows = step_rows(y, sequences) if per_step else as_numbers(check_one_each(y, sequences.lengths), "y")
        if rows.ndim not in (1, 2):
            raise ValueError(
                f"y has shape {rows.shape}, expected (n,) or (n, outputs); for targets of every step use "
                "return_sequences=True"
            )
        if 0 in rows.shape:
            raise ValueError(f"y has shape {rows.shape}, expected at least one output")
        check_finite_rows(rows, sequences, per_step, allow_nan=per_step or rows[:1].size > 1)
        return known_in_part(rows, np.isnan(rows), per_step, "target")

    @classmethod
    def learn(cls, rows):
        """What these targets tell."""
        return cls(rows.values.shape[1:])

    def learn_units(self, rows, sequences, per_step, loss):
        """What is known of targets with the units that the loss takes them in, learned from rows with weight.

        Raise a ValueError, or warn, where numbers of the dtype of X cannot hold them.
        """
        self._in_dtype(rows, sequences, per_step, loss)
        rows.check_every_output()
        used = rows.known if rows.weights is None else rows.weights > 0
        if not len(rows.values[used]):
            return self
        weights = None if rows.weights is None else that_count(rows.weights[used])
        center, scale = loss.units_of(rows.values[used].reshape(-1, self.n_outputs), weights)
        if loss.of_distance:
            check_units(center, scale, sequences.dtype, what="y")
            warn_of_units(center, scale, sequences.dtype, what="y")
        return replace(self, center=center, scale=np.where(scale > 0, scale, 1.0))

    def in_own_units(self, own):
        """What is known of targets that a loss with several scores for each takes in the units of their sequences.

        Their center and scale are (R, outputs), those of rows. A loss with one score has it put back into the units of
        all sequences.
        """
        center, scale = (0.0, 1.0) if self.scale is None else (self.center, self.scale)
        return replace(self, center=center + scale * own.level, scale=scale * own.ratio)

    @property
    def n_outputs(self):
        """Targets of a sequence or step."""
        return int(np.prod(self.shape))

    def check(self, rows):
        """Raise a ValueError unless targets have the outputs that the first fit saw."""
        shape = rows.values.shape
        if shape[1:] != self.shape:
            raise ValueError(f"y has shape {shape}, expected {(shape[0], *self.shape)} as in the first fit")

    def encode(self, rows, sequences, per_step, loss):
        """Targets as the loss takes them, (rows, outputs) in the dtype of X."""
        targets = self._in_dtype(rows, sequences, per_step, loss)
        if self.scale is None:
            return targets
        standardized = self._standardized(rows.values[rows.known].reshape(-1, self.n_outputs))
        return np.ascontiguousarray(rows.of_known(standardized.astype(targets.dtype)))

    def _in_dtype(self, rows, sequences, per_step, loss):
        """Targets in their own units, (rows, outputs) in the dtype of X; a ValueError names what the loss refuses."""
        self.check(rows)
        values, dtype = rows.values, sequences.dtype
        with np.errstate(over="ignore"):
            targets = rows.of_known(values[rows.known]).reshape(len(values), -1)
            targets = np.require(targets, dtype, ["C", "A"])
        bad = loss.check_targets(targets, loss.of_logistic)
        if bad is not None:
            (row, output), expected = bad
            where = sequences.label("y", row, output if self.shape else None, per_step=per_step)
            raise ValueError(f"{where} is {targets[row, output]}, expected {expected}")
        bad = first_cell(np.isinf(targets))
        if bad is not None:
            where = sequences.label("y", *bad[: 1 + len(self.shape)], per_step=per_step)
            raise ValueError(f"{where} is too large for {dtype}, the dtype of X; scale y, or pass X as float64")
        return targets

    def _standardized(self, rows):
        """Rows (R, outputs) of targets in the units of the loss."""
        return rows if self.scale is None else (rows - self.center) / self.scale

    def check_validation(self, rows, sequences, per_step, loss, by_loss):
        """Raise an error unless targets can be validated on: those that the loss takes."""
        self.encode(rows, sequences, per_step, loss)

    def class_weights(self, rows, class_weight):
        """Weights of classes: None."""
        return None

    def weights(self, rows, of_classes):
        """Weights of the targets by themselves: None, all the same."""
        return None

    def are_known(self, rows):
        """Whether the loss of these targets is finite: yes."""
        return True

    def decode(self, scores, loss):
        """Predictions for raw scores: (R,) or (R, outputs), of several quantiles with these as a last dimension."""
        rows = self._decoded(scores, loss)
        return rows if self.shape else rows[:, 0]

    def _decoded(self, scores, loss):
        rows = loss.predict(scores)
        if self.scale is None:
            return rows
        center, scale = (part[..., np.newaxis] if rows.ndim > 2 else part for part in (self.center, self.scale))
        return (rows * scale + center).astype(rows.dtype)

    def distribution(self, scores, loss):
        """What is known of the distribution of targets (R, outputs), in the user's units."""
        found = loss.distribution(scores)
        return found if self.scale is None else found.in_units(self.center, self.scale)

    def score(self, rows, scores, loss, weights):
        """How much of the loss raw scores explain, for early stopping."""
        rows = rows.reshape(-1, self.n_outputs)
        if loss.width > 1:      # each row may have units of its own, in which no scores are compared
            predicted = self._decoded(scores, loss)
        else:
            rows, predicted = self._standardized(rows), loss.predict(scores)
        constant = constant_outputs(rows)
        if len(constant) and loss.of_distance:
            # 0, whose mean is 0 to the bit: the mean of other numbers that are the same is not always theirs
            first = np.zeros(self.n_outputs)
            first[constant] = np.nanmax(rows[:, constant], axis=0)
            rows, predicted = rows - first, predicted - (first[:, np.newaxis] if predicted.ndim > 2 else first)
        return self.measure(loss.score, rows, predicted, weights)

    def measure(self, metric, rows, predicted, weights):
        """A metric of predicted rows; where some outputs are not known, its mean over outputs."""
        return mean_over_outputs(metric, rows, predicted, sample_weight=weights)

    def strata(self, rows):
        """What the parts of a split should have in equal shares: None, nothing."""
        return None

    def coincidences(self, rows, sequences, per_step):
        """What y may have been meant to be: no guesses, since a horizon as long as the sequences is nothing unusual."""
        return []

    def are_constant(self, values):
        """Whether the score of these targets says nothing of predictions, since they are all the same."""
        return len(values) > 1 and bool((values == values[0]).all())

    def attributes(self):
        """What `fit` publishes."""
        units = [None if part is None else part if self.shape else float(part[0]) for part in (self.center, self.scale)]
        return dict(zip(("y_mean_", "y_scale_"), units, strict=True))
