"""Labels of any kind: one for each sequence or step, several that are 0 or 1, or several columns of classes."""

import numpy as np

from skrnn._data.label_columns import LabelColumns
from skrnn._data.numbers import is_sized
from skrnn._data.target_checks import first_cell
from skrnn._estimators.class_targets import (
    ClassTargets,
    classes_to_come,
    labels_of,
    no_indicators,
    rows_of_labels,
)
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn._messages import shown

# Of columns with a larger fraction of cells that are neither 0 nor 1 no error says that they should be
MAX_OTHERS = 0.5


class LabelTargets:
    """Reads labels that nothing is known of yet, and learns from them what targets they are."""

    @staticmethod
    def read(y, sequences, per_step, classes=None):
        """Checked targets; those of several columns are indicators of labels, unless they are other than 0 and 1.

        Parameters
        ----------
        classes : array or list of arrays, optional
            What `announced_classes` returned: a list of those of each column.
        """
        rows, missing = labels_of(y, sequences, per_step)
        if rows.ndim == 2 and rows.shape[1] > 1:
            others = no_indicators(rows, missing)
            if isinstance(classes, list) or others.any():
                several = SeveralClassTargets.read(y, sequences, per_step)
                several.values.hint = _hint(rows, others, sequences, per_step)
                several.values.are_announced = classes is not None
                return several
        return rows_of_labels(rows, missing, sequences, per_step)

    @staticmethod
    def learn(rows, classes=None):
        """What these targets tell."""
        if isinstance(rows.values, LabelColumns):
            return SeveralClassTargets.learn(rows, classes)
        if isinstance(classes, list):
            raise ValueError(
                f"classes={shown(classes)} are of {len(classes)} columns, but y has one: expected all labels that "
                "there will be, in one dimension"
            )
        return ClassTargets.learn(rows, classes)


def _hint(rows, others, sequences, per_step):
    """What else several columns (R, k) may have been meant to be, for errors; `others` are the cells not 0 or 1."""
    hint = ""
    if others.any() and not others.mean() > MAX_OTHERS:
        cell = first_cell(others)
        where = sequences.label("y", *cell, per_step=per_step)
        hint += f"; {where} is {shown(rows[cell])}: of several labels each is 0 or 1, or NaN where it is not known"
    if not per_step and sequences.all_have_steps(rows.shape[1]):
        hint += "; if y holds a label for each step, set return_sequences=True"
    return hint


def announced_classes(classes, per_step):
    """What `partial_fit` was told of the labels to come: an array of them, or a list of one for each column of y."""
    if not is_sized(classes) or not len(classes) or not all(is_sized(of_column) for of_column in classes):
        return classes_to_come(classes, per_step)
    return [classes_to_come(of_column, per_step, f"classes[{q}]") for q, of_column in enumerate(classes)]


def known_targets(n_scores, classes, multilabel, per_step):
    """What targets with these labels are, of which a head has so many scores.

    Parameters
    ----------
    n_scores : int
    classes : array-like, list of array-likes, or None
        In the order of the scores.
    multilabel : bool
        Whether each score is that of a label that is 0 or 1; classes are then None.
    per_step : bool
    """
    if multilabel:
        if classes is not None:
            raise ValueError("multilabel=True is for labels that are 0 or 1, which have no classes: leave these out")
        if n_scores == 1:
            raise ValueError("multilabel=True is for several labels, but head.V has one output: pass the two classes")
        return ClassTargets(np.arange(n_scores), True)
    if classes is None:
        raise ValueError(
            "classes must be passed to a net that is not fitted: the labels that its outputs stand for, in order; or "
            "set multilabel=True"
        )
    known = announced_classes(classes, per_step)
    if isinstance(known, list) and len(known) == 1:
        raise ValueError(f"classes={shown(classes)}: expected the classes of one column by themselves, or of several")
    for name, given, found in _each_column(classes, known):
        if len(found) < 2:
            raise ValueError(f"{name}={shown(given)}: expected at least 2 classes")
        if list(given) != found.tolist():
            raise ValueError(
                f"{name}={shown(given)}: expected them once each and in order, {shown(found.tolist())}, as the columns "
                "of head.V are"
            )
    if isinstance(known, list):
        targets = SeveralClassTargets(tuple(ClassTargets(of_column, False) for of_column in known))
    else:
        targets = ClassTargets(known, False)
    if targets.n_outputs != n_scores:
        raise ValueError(
            f"classes={shown(classes)} have {targets.n_outputs} outputs, one for two classes, else one for each, but "
            f"head.V has {n_scores} columns"
        )
    return targets


def _each_column(classes, known):
    """What messages call the labels of each column, these as they are given, and as `announced_classes` has them."""
    if not isinstance(known, list):
        return [("classes", classes, known)]
    return [(f"classes[{q}]", *pair) for q, pair in enumerate(zip(classes, known, strict=True))]


def same_classes(a, b):
    """Whether two of what `announced_classes` returns, or ``classes_``, are the same."""
    if isinstance(a, list) != isinstance(b, list):
        return False
    if not isinstance(a, list):
        return np.array_equal(a, b)
    return len(a) == len(b) and all(map(np.array_equal, a, b))
