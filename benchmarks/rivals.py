"""What one would take instead of skrnn, with its defaults: PyTorch's LSTM, and scikit-learn on sequences as vectors."""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import RidgeClassifierCV, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skrnn import RNNClassifier


class Vectors(TransformerMixin, BaseEstimator):
    """Sequences as vectors: as long as the longest of the training data, with zeros (or no category) before others."""

    def __init__(self, categories=False):
        self.categories = categories

    def fit(self, X, y=None):
        """Learn the length, and the categories."""
        self.n_steps_ = max(len(x) for x in X)
        if self.categories:
            self.encoder_ = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(self._rows(X))
        return self

    def _rows(self, X):
        fill = -1 if self.categories else 0
        rows = np.full((len(X), self.n_steps_, *np.shape(X[0])[1:]), fill, dtype=X[0].dtype)
        for row, x in zip(rows, X, strict=True):
            row[max(0, self.n_steps_ - len(x)) :] = x[-self.n_steps_ :]
        return rows.reshape(len(rows), -1)

    def transform(self, X):
        """Rows."""
        return self.encoder_.transform(self._rows(X)) if self.categories else self._rows(X)


def is_classifier(task):
    """Whether the targets are labels."""
    return task.estimator is RNNClassifier


def torch_lstm(task, seed, n_updates, standardize=False):
    """PyTorch's LSTM; None where there is nothing to standardize."""
    from torch_lstm import TorchLSTM

    if n_updates is None:
        raise ValueError("PyTorch trains for as many updates as skrnn: run skrnn on the task first")
    per_step, embedding_dim = "return_sequences" in task.needed, task.needed.get("embedding_dim")
    if standardize and embedding_dim is not None:
        return None
    kind = "numbers" if not is_classifier(task) else "keys" if per_step else "classes"
    return TorchLSTM(
        kind, per_step=per_step, embedding_dim=embedding_dim, standardize=standardize, n_updates=n_updates,
        random_state=seed,
    )


def on_vectors(task, *steps, target_scaler=None):
    """A pipeline on vectors; None for targets of steps."""
    if task.kind == "steps":
        return None
    pipeline = make_pipeline(Vectors("embedding_dim" in task.needed), *steps)
    return pipeline if target_scaler is None else TransformedTargetRegressor(pipeline, transformer=target_scaler)


def mlp(task, seed):
    """The multilayer perceptron of scikit-learn."""
    return (MLPClassifier if is_classifier(task) else MLPRegressor)(random_state=seed)


def standardized_mlp(task, seed, _):
    """With X and y standardized."""
    target_scaler = None if is_classifier(task) else StandardScaler()
    return on_vectors(task, StandardScaler(), mlp(task, seed), target_scaler=target_scaler)


def boosting(task, seed, _):
    """Gradient boosting of scikit-learn."""
    model = HistGradientBoostingClassifier if is_classifier(task) else HistGradientBoostingRegressor
    return on_vectors(task, model(random_state=seed))


def ridge(task, seed, _):
    """Ridge regression, of labels on ±1, with its own cross-validation."""
    return on_vectors(task, StandardScaler(), RidgeClassifierCV() if is_classifier(task) else RidgeCV())


# name: the estimator of a task, a seed and the number of skrnn's updates; None where it does not take the task
RIVALS = {
    "PyTorch": torch_lstm,
    "PyTorch, standardized": lambda task, seed, n_updates: torch_lstm(task, seed, n_updates, standardize=True),
    "MLP": lambda task, seed, _: on_vectors(task, mlp(task, seed)),
    "MLP, standardized": standardized_mlp,
    "gradient boosting": boosting,
    "ridge": ridge,
}
