"""The GRU of `same_job.py` as a PyTorch module, and a loop that trains it."""

import os

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


class Reader(torch.nn.Module):
    """A GRU of packed sequences, and a linear head on its last state."""

    def __init__(self, n_features=12, units=32, n_classes=9):
        super().__init__()
        self.rnn = torch.nn.GRU(n_features, units, batch_first=True)
        self.head = torch.nn.Linear(units, n_classes)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return self.head(self.rnn(packed)[1][-1])


class Loop:
    """Training and prediction as one writes them."""

    def __init__(self, epochs, rate, batch_size):
        self.epochs, self.rate, self.batch_size = epochs, rate, batch_size

    def fit(self, X, y):
        """X is padded sequences and their lengths."""
        torch.manual_seed(0)
        x, lengths, y = torch.from_numpy(X[0]), torch.from_numpy(X[1]), torch.from_numpy(y)
        self.module_ = Reader()
        optimizer = torch.optim.Adam(self.module_.parameters(), lr=self.rate)
        for _ in range(self.epochs):
            for batch in torch.randperm(len(y)).split(self.batch_size):
                optimizer.zero_grad()
                scores = self.module_(x[batch], lengths[batch])
                torch.nn.functional.cross_entropy(scores, y[batch]).backward()
                optimizer.step()
        return self

    def predict_proba(self, X):
        """(n, classes)."""
        with torch.no_grad():
            return self.module_(torch.from_numpy(X[0]), torch.from_numpy(X[1])).softmax(dim=1).numpy()

    def predict(self, X):
        """Labels."""
        return np.argmax(self.predict_proba(X), axis=1)
