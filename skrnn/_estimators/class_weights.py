"""Weights of classes: what `class_weight` may be, and what it makes of the classes of y."""

from math import isfinite

import numpy as np

from skrnn._messages import shown

DICT = "a dict {label: weight}"


def of_classes(class_weight, classes, codes, name="class_weight"):
    """The weight of each class, by scikit-learn's rule (``compute_class_weight``), which does not depend on the fold.

    A class without a weight counts 1, and a weight for a class that y lacks is not used; but where some class has none
    a weight for another one is taken for a mistake.

    Parameters
    ----------
    class_weight : dict or "balanced"
    classes : (n_classes,) array
    codes : (rows,) int array
        The class number of each target.
    name : str
        What messages call `class_weight`.

    Returns
    -------
    (n_classes,) float64 array
    """
    if isinstance(class_weight, list):
        raise TypeError(f"{name} is a list, which is for a y of several labels; expected {DICT} or 'balanced'")
    return _weights(name, class_weight, classes, codes)


def of_labels(class_weight, labels):
    """The weights of 0 and of 1 for each label of targets (rows, labels) of zeros and ones.

    Parameters
    ----------
    class_weight : list of (dict, "balanced" or None), or "balanced"
    labels : (rows, labels) array
        What is neither 0 nor 1 is unknown.

    Returns
    -------
    (labels, 2) float64 array
    """
    n_labels = labels.shape[1]
    class_weight = one_each(class_weight, n_labels, "labels", "{0: weight, 1: weight} for each label")
    weights = np.ones((n_labels, 2))
    for k, (of_label, column) in enumerate(zip(class_weight, labels.T, strict=True)):
        if of_label is not None:
            codes = column[(column == 0) | (column == 1)].astype(np.intp)
            weights[k] = _weights(f"class_weight[{k}]", of_label, np.arange(2), codes)
    return weights


def one_each(class_weight, n, what, expected):
    """A list of the weights of each of n labels or columns; a ValueError says what was `expected` where it is none."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        return [class_weight] * n
    if not isinstance(class_weight, list) or len(class_weight) != n:
        found = f"a list of {len(class_weight)}" if isinstance(class_weight, list) else f"{shown(class_weight)}"
        raise ValueError(
            f"class_weight is {found}, but y has {n} {what}: expected a list of {n} dicts, {expected}, or 'balanced'"
        )
    return class_weight


def of_indicators(weights, labels):
    """The weight of each target (rows, labels), the product of those of its labels, (rows,) float64; 1 if unknown."""
    product = np.ones(len(labels))
    for of_label, column in zip(weights, labels.T, strict=True):
        for value in (0, 1):
            product[column == value] *= of_label[value]
    return product


def _weights(name, given, classes, codes):
    if isinstance(given, str) and given == "balanced":
        counts = np.bincount(codes, minlength=len(classes))
        return len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    if not isinstance(given, dict):
        raise TypeError(f"{name} is {shown(given)}, expected {DICT}, or 'balanced'")
    given = {_of_python(label): _as_weight(weight, f"{name}[{shown(label)}]") for label, weight in given.items()}
    classes = classes.tolist()
    other = [label for label in given if label not in classes]
    without = [label for label in classes if label not in given]
    if other and without:
        raise ValueError(
            f"{name} has weights for {other}, which are not among the classes {classes} of y, and none for {without}: "
            "a class that y lacks may have a weight where all classes of y have one"
        )
    weights = np.array([given.get(label, 1.0) for label in classes])
    if not weights.any():
        raise ValueError(f"{name} is 0 for all classes {classes}, expected one weight at least that is not 0")
    return weights


def _as_weight(weight, name):
    try:
        number = None if isinstance(weight, str | bytes) else float(weight)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None:
        raise TypeError(f"{name} is {shown(weight)}, expected a number")
    if not isfinite(number) or number < 0:
        raise ValueError(f"{name} is {number}, expected a finite number that is not negative")
    return number


def _of_python(label):
    """A label of NumPy's types as Python's."""
    return label.item() if isinstance(label, np.generic) else label
