"""The GRU of `same_job.py` in Keras."""

import os

import keras
import numpy as np
import torch

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


class Model:
    """A Sequential model that masks zeros."""

    def __init__(self, epochs, units, rate, batch_size):
        self.epochs, self.units, self.rate, self.batch_size = epochs, units, rate, batch_size

    def fit(self, X, y):
        """X is (n, steps, features)."""
        keras.utils.set_random_seed(0)
        self.model_ = keras.Sequential([
            keras.layers.Masking(0.0), keras.layers.GRU(self.units), keras.layers.Dense(9, activation="softmax"),
        ])
        self.model_.compile(keras.optimizers.Adam(self.rate), "sparse_categorical_crossentropy")
        self.model_.fit(X, y, batch_size=self.batch_size, epochs=self.epochs, verbose=0)
        return self

    def predict_proba(self, X):
        """(n, classes)."""
        return self.model_.predict(X, verbose=0)

    def predict(self, X):
        """Labels."""
        return np.argmax(self.predict_proba(X), axis=1)
