"""Gradients, integrated gradients and occlusion against what the public `predict` and `predict_proba` give."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numerical import assert_gradient, central_differences
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, RNNSurvival, WithStatic
from skrnn.inspection import input_gradients, integrated_gradients, occlusion
from skrnn.preprocessing import SequenceScaler

LENGTHS = [5, 1, 4, 6]
OTHERS = [6, 4, 7, 3, 5, 8, 4, 6]


def fitted(net, X, y):
    """A net that has hardly begun to learn: explanations are of nets as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.set_params(max_iter=2, learning_rate_init=0.05, random_state=0)
        return net.fit(X, y)


def numbers(lengths, n_features=3, seed=0, gaps=0.0):
    """Steps one after the other, (total, n_features); some are NaN."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(sum(lengths), n_features)) * [1, 3, 0.5][:n_features] + [0, 2, -1][:n_features]
    values[rng.random(values.shape) < gaps] = np.nan
    return values


def with_times(lengths, seed=0, gaps=0.0):
    """Two features and, between them, uneven times."""
    rng = np.random.default_rng(seed)
    times = np.concatenate([rng.normal() + np.cumsum(rng.uniform(0.5, 2, size=length)) for length in lengths])
    return np.insert(numbers(lengths, 2, seed, gaps), 1, times, axis=1)


def cut(values, lengths):
    return np.split(values, np.cumsum(lengths)[:-1])


def targets(lengths, n_classes=3):
    return np.arange(len(lengths)) % n_classes


@dataclass
class Kind:
    """A net and X, whose numbers are one flat array."""

    net: Any
    values: np.ndarray          # flat
    make: Any                   # X of such values
    flat: Any                   # the flat values of what has the form of X
    zero: Any = None            # values with 0 for all numbers but times
    missing: Any = None


def ragged_kind(net, values=numbers, gaps=0.0, y=None, **options):
    """Of sequences of different lengths in a list."""
    X = cut(values(OTHERS, seed=1, gaps=gaps), OTHERS)
    values = values(LENGTHS, gaps=gaps)
    net = fitted(net, X, targets(OTHERS) if y is None else y(X))
    return Kind(net, values, lambda flat: cut(flat.reshape(-1, 3), LENGTHS), lambda X: np.concatenate(list(X)))


def per_step(X):
    return [np.stack([x[:, 0], x.sum(axis=1)], axis=1) for x in np.nan_to_num(X)] if False else [
        np.nan_to_num(x)[:, :2] for x in X
    ]
