"""What one would take instead of skrnn, with its defaults: PyTorch, and scikit-learn on flattened sequences."""

import numpy as np
import suite
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import RidgeClassifierCV, RidgeCV
from sklearn.metrics import accuracy_score, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skrnn import RNNRegressor


def flat(X, length, pad):
    """Rows of `length` steps: shorter sequences are padded at their end, longer ones are cut."""
    X = [np.asarray(x).reshape(len(x), -1)[:length] for x in X]
    return np.stack([np.pad(x, ((0, length - len(x)), (0, 0)), constant_values=pad).ravel() for x in X])


class Flattened(BaseEstimator):
    """An estimator of scikit-learn on flattened sequences.

    Parameters
    ----------
    estimator : estimator
    scale : bool
        Whether columns are standardised.
    categories : bool
        Whether steps are categories, which become 0 and 1.
    """

    def __init__(self, estimator, scale=False, categories=False):
        self.estimator, self.scale, self.categories = estimator, scale, categories

    def fit(self, X, y):
        """Fit to the length of the longest sequence."""
        self.length_ = max(len(x) for x in X)
        steps = FunctionTransformer(flat, kw_args={"length": self.length_, "pad": -1 if self.categories else 0})
        parts = [steps, *[OneHotEncoder(handle_unknown="ignore", sparse_output=False)] * self.categories]
        self.model_ = make_pipeline(*parts, *[StandardScaler()] * self.scale, self.estimator).fit(X, y)
        return self

    def score(self, X, y):
        """Accuracy or R²."""
        return self.model_.score(X, y)


def flattened(classifier, regressor, scale=False):
    """A maker of `Flattened` for a task and a seed."""

    def make(task, seed):
        kind = regressor if task.estimator is RNNRegressor else classifier
        estimator = kind(**{"random_state": seed} if "random_state" in kind().get_params() else {})
        return Flattened(estimator, scale, categories="embedding_dim" in task.needed)

    return make


class Torch(BaseEstimator):
    """PyTorch's LSTM of 32 units with its own initial weights and Adam's defaults, batches of 32, 200 epochs.

    Parameters
    ----------
    regression, categories : bool
    seed : int
    """

    def __init__(self, regression, categories, seed):
        self.regression, self.categories, self.seed = regression, categories, seed

    def _scores(self, X):
        steps = [self.torch_.as_tensor(np.asarray(x)) for x in X]
        steps = [self.embedding_(x) if self.categories else x.to(self.torch_.float32) for x in steps]
        _, (last, _) = self.recurrent_(self.torch_.nn.utils.rnn.pack_sequence(steps, enforce_sorted=False))
        return self.head_(last[0])

    def fit(self, X, y):
        """Train for 200 epochs."""
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(self.seed)
        self.torch_, n, n_inputs = torch, len(y), 8 if self.categories else X[0].shape[1]
        if self.categories:
            self.embedding_ = torch.nn.Embedding(int(max(x.max() for x in X)) + 1, n_inputs)
        if self.regression:
            width, loss, y = 1, torch.nn.MSELoss(), torch.tensor(y, dtype=torch.float32)[:, None]
        else:
            self.classes_, codes = np.unique(y, return_inverse=True)
            width, loss, y = len(self.classes_), torch.nn.CrossEntropyLoss(), torch.tensor(codes)
        self.recurrent_, self.head_ = torch.nn.LSTM(n_inputs, 32), torch.nn.Linear(32, width)
        parts = [self.recurrent_, self.head_, *([self.embedding_] if self.categories else [])]
        optimizer = torch.optim.Adam([parameter for part in parts for parameter in part.parameters()])
        for _ in range(200):
            for index in torch.randperm(n).split(32):
                optimizer.zero_grad()
                loss(self._scores([X[i] for i in index]), y[index]).backward()
                optimizer.step()
        return self

    def score(self, X, y):
        """Accuracy or R²."""
        with self.torch_.no_grad():
            scores = self._scores(X).numpy()
        return r2_score(y, scores[:, 0]) if self.regression else accuracy_score(y, self.classes_[scores.argmax(axis=1)])


def torch(task, seed):
    """PyTorch for a task."""
    return Torch(task.estimator is RNNRegressor, "embedding_dim" in task.needed, seed)


RIVALS = {
    "PyTorch": torch,
    "MLP": flattened(MLPClassifier, MLPRegressor),
    "MLP, scaled": flattened(MLPClassifier, MLPRegressor, scale=True),
    "gradient boosting": flattened(HistGradientBoostingClassifier, HistGradientBoostingRegressor),
    "ridge, scaled": flattened(RidgeClassifierCV, RidgeCV, scale=True),
}


def tasks_of_all(names):
    """The tasks that all of them take: those with one target a sequence."""
    return [name for name in names if suite.TASKS[name].kind != "steps"]
