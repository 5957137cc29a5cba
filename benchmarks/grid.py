"""The grid search: hidden size 16, 32 and 64, three folds and the refit, on sequences that can be learned."""

import numpy as np
from contenders import load
from joblib import parallel_config
from sizes import N_CLASSES, Size
from sklearn.model_selection import GridSearchCV

SIZE = Size("grid", 32, 50, 6, 16)
HIDDEN_SIZES = [16, 32, 64]


def data(n_sequences):
    """Noise around a wave whose frequency is the class."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, N_CLASSES, n_sequences)
    phase = rng.uniform(0, 2 * np.pi, (n_sequences, 1, SIZE.D))
    t = np.arange(SIZE.T)[:, np.newaxis]
    X = np.sin(0.1 * (1 + y[:, np.newaxis, np.newaxis]) * t + phase)
    return (X + 0.3 * rng.standard_normal(X.shape)).astype(np.float32), y


class Search:
    """A package's search in n_jobs processes, which run one thread each if they are several."""

    def __init__(self, package, n_jobs, n_sequences, n_epochs):
        self.X, self.y = data(n_sequences)
        estimator, parameter = load(package, "search", SIZE, n_epochs)
        self.search = GridSearchCV(estimator, {parameter: HIDDEN_SIZES}, cv=3, n_jobs=n_jobs)

    def step(self):
        with parallel_config(backend="loky", inner_max_num_threads=1):
            self.search.fit(self.X, self.y)

    def accuracy(self):
        """Of the best candidate over the folds, to see that both packages learn the same."""
        return float(self.search.best_score_)
