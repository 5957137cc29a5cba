"""The recurrent net of a PyTorch tutorial as an estimator: nn.LSTM with its own initial weights, a head, Adam."""

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from torch.nn.utils.rnn import pack_sequence, unpack_sequence

torch.set_num_threads(1)


class Network(nn.Module):
    """Categories or numbers, an LSTM, and a head on its last state or on that of each step."""

    def __init__(self, n_inputs, hidden_size, n_outputs, n_categories, per_step):
        super().__init__()
        self.embedding = nn.Embedding(n_categories, n_inputs) if n_categories else nn.Identity()
        self.recurrent = nn.LSTM(n_inputs, hidden_size)
        self.head = nn.Linear(hidden_size, n_outputs)
        self.per_step = per_step

    def forward(self, sequences):
        """Scores (N, outputs), or (all steps, outputs)."""
        packed = pack_sequence([self.embedding(x) for x in sequences], enforce_sorted=False)
        packed, (h, _) = self.recurrent(packed)
        return self.head(torch.cat(unpack_sequence(packed)) if self.per_step else h[-1])


class TorchLSTM(BaseEstimator):
    """Training by batches of `batch_size` in a new order each epoch, for so many updates.

    Parameters
    ----------
    kind : {"classes", "numbers", "keys"}
        The targets: a label, a number, or several labels at once that are there or not.
    per_step : bool
        Whether each step has a target.
    embedding_dim : int, optional
        X holds categories.
    standardize : bool
        Read X and y minus the mean and divided by the deviation of the training data, as a careful user would.
    n_updates, hidden_size, batch_size, learning_rate, random_state
    """

    def __init__(
        self, kind="classes", *, per_step=False, embedding_dim=None, standardize=False, n_updates=1000, hidden_size=32,
        batch_size=32, learning_rate=1e-3, random_state=0,
    ):
        self.kind = kind
        self.per_step = per_step
        self.embedding_dim = embedding_dim
        self.standardize = standardize
        self.n_updates = n_updates
        self.hidden_size = hidden_size
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X, y):
        """Train."""
        torch.manual_seed(self.random_state)
        self._set_units(X, y)
        targets, n_outputs = self._targets(y)
        sequences = self._tensors(X)
        n_categories = 0 if self.embedding_dim is None else 1 + max(int(x.max()) for x in sequences)
        n_inputs = self.embedding_dim or sequences[0].shape[1]
        self.network_ = Network(n_inputs, self.hidden_size, n_outputs, n_categories, self.per_step)
        optimizer = torch.optim.Adam(self.network_.parameters(), lr=self.learning_rate)
        loss_of = {
            "classes": cross_entropy, "numbers": mse_loss, "keys": binary_cross_entropy_with_logits,
        }[self.kind]
        for index in self._batches(len(sequences)):
            optimizer.zero_grad()
            loss_of(self.network_([sequences[i] for i in index]), torch.cat([targets[i] for i in index])).backward()
            optimizer.step()
        return self

    def _batches(self, n):
        """The indices of each update."""
        batches = []
        for _ in range(self.n_updates):
            batches = batches or list(torch.randperm(n).split(self.batch_size))
            yield batches.pop()

    def _set_units(self, X, y):
        """Centers and scales: of the features, and of numbers to predict."""
        self.X_units_ = self.y_units_ = 0.0, 1.0
        if self.standardize and self.embedding_dim is None:
            self.X_units_ = _units(np.concatenate(list(X)))
        if self.standardize and self.kind == "numbers":
            self.y_units_ = _units(np.concatenate([np.atleast_1d(target) for target in y]))

    def _targets(self, y):
        """A tensor of each sequence with a row of each target, and the number of outputs."""
        if self.kind == "classes":
            self.classes_, y = np.unique(y, return_inverse=True)
            return torch.tensor(y)[:, None], len(self.classes_)
        center, scale = self.y_units_
        rows = [(np.asarray(target, dtype=float) - center) / scale for target in y]
        n_outputs = rows[0].shape[1] if self.kind == "keys" else 1
        return [torch.tensor(row.reshape(-1, n_outputs), dtype=torch.float32) for row in rows], n_outputs

    def _tensors(self, X):
        if self.embedding_dim is not None:
            return [torch.tensor(np.asarray(x)) for x in X]
        center, scale = self.X_units_
        return [torch.tensor((x - center) / scale, dtype=torch.float32) for x in X]

    def _scores(self, X):
        with torch.no_grad():
            return self.network_(self._tensors(X))

    def predict(self, X):
        """Labels, or numbers; those of steps one after the other."""
        scores = self._scores(X)
        if self.kind == "classes":
            return self.classes_[scores.argmax(dim=1).numpy()]
        center, scale = self.y_units_
        return center + scale * scores[:, 0].numpy()

    def predict_proba(self, X):
        """Of each key, an array of each sequence."""
        return np.split(torch.sigmoid(self._scores(X)).numpy(), np.cumsum([len(x) for x in X])[:-1])

    def score(self, X, y):
        """Accuracy or R²."""
        if self.kind == "classes":
            return accuracy_score(y, self.predict(X))
        return r2_score(np.concatenate(list(y)) if self.per_step else y, self.predict(X))


def _units(rows):
    """Mean and deviation of the columns; 1 where it is 0."""
    deviation = rows.std(axis=0)
    return rows.mean(axis=0), np.where(deviation > 0, deviation, 1)
