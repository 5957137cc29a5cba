"""Where something else does better, with figures. See docs/alternatives.md.

    python benchmarks/alternatives.py [tables] [archive] [seasons] [transitions] [recall] [--seeds 3] [--updates 2000]

tables: columns without an order, and images, beside gradient boosting and a support vector machine.
archive: MiniRocket (aeon) on the sets of the open suite with a label for a sequence.
seasons: a year of air passengers ahead, by AutoARIMA and AutoETS (statsforecast), ridge, the year before, and a net.
transitions: labels of which few may follow each other, by a CRF (sklearn-crfsuite), a net, and a net with Viterbi.
recall: what stood beside a key, by attention and by a GRU (PyTorch).

Libraries that are not there are left out. Scores are accuracy or R². One thread unless OMP_NUM_THREADS is set.
"""

import argparse
import importlib.util
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import suite
from rivals import Vectors
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skrnn import RNNClassifier, RNNRegressor, concatenate_steps
from skrnn.forecasting import ForecastWindows, RollingOrigin, SeasonalNaive, WindowTable, backtest


def is_there(library):
    """Whether it can be imported; else a line says that it is left out."""
    there = importlib.util.find_spec(library) is not None
    if not there:
        print(f"left out: {library} is not installed")
    return there


def row(*cells):
    """Print a row of a table."""
    texts = [f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells]
    print(f"| {' | '.join(texts)} |", flush=True)


def tables():
    """Mean scores of five folds; for the net a column is a step, and an image a sequence of its rows."""
    header = ("data", "a net, columns as steps", "linear", "gradient boosting", "support vector machine")
    row(*header)
    row(*["---"] * len(header))
    for name in ("breast_cancer", "wine", "diabetes", "digits"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        if name == "diabetes":
            models = RNNRegressor(random_state=0), RidgeCV(), HistGradientBoostingRegressor(random_state=0)
        else:
            net = RNNClassifier(n_steps=8 if name == "digits" else None, random_state=0)
            models = net, LogisticRegression(max_iter=1000), HistGradientBoostingClassifier(random_state=0), SVC()
        scores = [float(cross_val_score(make_pipeline(StandardScaler(), model), X, y).mean()) for model in models]
        row(name, *scores, *["–"] * (4 - len(scores)))


class Channels(Vectors):
    """Sequences as aeon reads them, (n, channels, steps): nine steps at least, and the same categories at each."""

    def fit(self, X, y=None):
        """Learn the length, and the categories of all steps together."""
        super().fit(X)
        self.n_steps_ = max(9, self.n_steps_)
        if self.categories:
            each = [np.unique(np.concatenate(X))] * self.n_steps_
            self.encoder_.set_params(categories=each).fit(self._rows(X))
        return self

    def transform(self, X):
        """Padded at the beginning, with steps last."""
        rows = super().transform(X)
        return rows.reshape(len(rows), self.n_steps_, -1).transpose(0, 2, 1).astype(np.float32)


def archive(n_seeds):
    """Scores, and seconds of the processor for fit and prediction."""
    if not is_there("aeon"):
        return
    from aeon.classification.convolution_based import MiniRocketClassifier

    header = ("data", "skrnn", "MiniRocket", "skrnn, s", "MiniRocket, s")
    row(*header)
    row(*["---"] * len(header))
    for name in [name for name, task in suite.available().items() if task.kind == "classes"]:
        task, scores = suite.TASKS[name], []
        for seed in range(n_seeds):
            X, y, X_test, y_test = task.load(seed)
            rocket = make_pipeline(Channels("embedding_dim" in task.needed), MiniRocketClassifier(random_state=seed))
            for model in (task.estimator(random_state=seed, **task.needed), rocket):
                start = time.process_time()
                score = model.fit(X, y).score(X_test, y_test)
                scores.append((score, time.process_time() - start))
        means = np.reshape(scores, (n_seeds, 2, 2)).mean(axis=0)
        row(name, *map(float, means[:, 0]), *map(float, means[:, 1]))


def seasons(horizon=12, n_origins=25):
    """Root mean squared errors of twelve months ahead, from each of the last origins.

    AutoARIMA and AutoETS are fitted at each origin, the others at every twelfth of them.
    """
    file = suite.tasks.SHARED / "air_passengers.csv"
    if not file.exists():
        print(f"left out: {file.name} is not there")
        return
    series = np.genfromtxt(file, delimiter=",", skip_header=1)[:, -1]
    windows = ForecastWindows(24, horizon, target=0, scaling="last")
    ridge = make_pipeline(WindowTable(), StandardScaler(), RidgeCV(10.0 ** np.arange(6)))
    models = {"a net": RNNRegressor(random_state=0), "ridge": ridge, "the year before": SeasonalNaive(12)}
    origins = RollingOrigin(n_origins, horizon=horizon, step=1)
    forecasts = backtest(models, np.log(series), windows, origins, refit=12).forecasts
    row("model", "error")
    row("---", "---")
    for name in models:
        row(name, float(np.sqrt(np.mean((np.exp(forecasts[name]) - np.exp(forecasts["0"])) ** 2))))
    if not is_there("statsforecast"):
        return
    from statsforecast.models import AutoARIMA, AutoETS

    first = len(series) - horizon - n_origins + 1
    for make in (AutoARIMA, AutoETS):
        errors = []
        for origin in range(first, first + n_origins):
            mean = make(season_length=12).forecast(np.log(series[:origin]), h=horizon)["mean"]
            errors.append(np.exp(mean) - series[origin : origin + horizon])
        row(make.__name__, float(np.sqrt(np.mean(np.square(errors)))))


TRANSITIONS = np.array([
    [0.8, 0.2, 0.0, 0.0], [0.0, 0.7, 0.3, 0.0], [0.0, 0.0, 0.8, 0.2], [0.2, 0.0, 0.0, 0.8],
])


def ring(n, rng, noise):
    """Sequences of labels 0 → 1 → 2 → 3 → 0, each of which stays or goes on, seen through two noisy numbers."""
    corners, X, y = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]), [], []
    for n_steps in rng.integers(20, 40, size=n):
        states = [rng.integers(4)]
        while len(states) < n_steps:
            states.append(rng.choice(4, p=TRANSITIONS[states[-1]]))
        X.append(corners[states] + noise * rng.normal(size=(n_steps, 2)))
        y.append([str(state) for state in states])
    return X, y


def best_sequence(log_p, log_transitions, log_frequency):
    """Viterbi's path of log-probabilities (steps, classes) that are divided by the frequency of the classes."""
    score, back = log_p[0], []
    for emissions in log_p[1:] - log_frequency:
        candidates = score[:, np.newaxis] + log_transitions
        back.append(candidates.argmax(axis=0))
        score = candidates.max(axis=0) + emissions
    path = [score.argmax()]
    for pointers in reversed(back):
        path.append(pointers[path[-1]])
    return path[::-1]


def with_search(net, y, log_p):
    """Labels of Viterbi's search, with transitions counted in the training data."""
    counts = np.full((4, 4), 0.01)
    for labels in y:
        np.add.at(counts, (np.array(labels[:-1], int), np.array(labels[1:], int)), 1)
    log_transitions = np.log(counts / counts.sum(axis=1, keepdims=True))
    log_frequency = np.log(counts.sum(axis=1) / counts.sum())
    return [[net.classes_[i] for i in best_sequence(p, log_transitions, log_frequency)] for p in log_p]


def forbidden(predicted):
    """The fraction of sequences with a transition that does not occur."""
    paths = [np.array(labels, int) for labels in predicted]
    return float(np.mean([(TRANSITIONS[path[:-1], path[1:]] == 0).any() for path in paths]))


def transitions(n_seeds=5):
    """Accuracy of steps, and the fraction of sequences with a forbidden transition, by how many are labelled."""
    if not is_there("sklearn_crfsuite"):
        return
    from sklearn_crfsuite import CRF

    row("labelled sequences", "CRF", "net", "net, then Viterbi", "forbidden: CRF", "net", "net, then Viterbi")
    row(*["---"] * 7)
    for n in (5, 20, 100, 500):
        results = []
        for seed in range(n_seeds):
            rng = np.random.default_rng(seed)
            (X, y), (X_new, y_new) = ring(n, rng, 1.0), ring(200, rng, 1.0)
            dicts = [[[{"a": a, "b": b} for a, b in x.tolist()] for x in part] for part in (X, X_new)]
            crf = CRF(algorithm="lbfgs", c2=0.1, max_iterations=100).fit(dicts[0], y)
            net = RNNClassifier(return_sequences=True, bidirectional=True, random_state=seed).fit(X, y)
            found = crf.predict(dicts[1]), net.predict(X_new), with_search(net, y, net.predict_log_proba(X_new))
            right = [np.mean(np.equal(*concatenate_steps(y_new, labels))) for labels in found]
            results.append([*right, *map(forbidden, found)])
        row(n, *map(float, np.mean(results, axis=0)))


def pairs(n, n_pairs, rng, n_symbols=16):
    """Sequences key, value, key, value, …, and at the end a key again; y is its value."""
    keys = np.argsort(rng.random((n, n_symbols)), axis=1)[:, :n_pairs]
    values = rng.integers(n_symbols, size=(n, n_pairs))
    asked = rng.integers(n_pairs, size=n)
    each = np.stack([keys, n_symbols + values], axis=2).reshape(n, -1)
    return np.column_stack([each, keys[np.arange(n), asked]]), values[np.arange(n), asked]


def readers(torch, n_steps, width=64, n_symbols=16):
    """By name modules that read symbols (n, steps) and give scores of values."""

    class Attention(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.place = torch.nn.Embedding(2 * n_symbols, width), torch.nn.Embedding(n_steps, width)
            layer = torch.nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True)
            self.layers = torch.nn.TransformerEncoder(layer, 2)
            self.head = torch.nn.Linear(width, n_symbols)

        def forward(self, symbols):
            return self.head(self.layers(self.embed(symbols) + self.place.weight)[:, -1])

    class Gru(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = torch.nn.Embedding(2 * n_symbols, width)
            self.layers, self.head = torch.nn.GRU(width, width, batch_first=True), torch.nn.Linear(width, n_symbols)

        def forward(self, symbols):
            return self.head(self.layers(self.embed(symbols))[1][-1])

    return {"attention, two layers of 64": Attention, "GRU of 64 units": Gru}


def recall(n_updates):
    """Accuracy on new sequences after so many updates of 64 new sequences each."""
    if not is_there("torch"):
        return
    import torch

    torch.set_num_threads(1)
    row("pairs", "model", "accuracy", "s")
    row(*["---"] * 4)
    for n_pairs in (4, 12):
        for name, make in readers(torch, 2 * n_pairs + 1).items():
            torch.manual_seed(0)
            rng, model, start = np.random.default_rng(0), make(), time.process_time()
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            for _ in range(n_updates):
                X, y = map(torch.from_numpy, pairs(64, n_pairs, rng))
                loss = torch.nn.functional.cross_entropy(model(X), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            X, y = map(torch.from_numpy, pairs(2000, n_pairs, rng))
            with torch.no_grad():
                accuracy = (model(X).argmax(dim=1) == y).float().mean().item()
            row(n_pairs, name, accuracy, round(time.process_time() - start))


PARTS = {part.__name__: part for part in (tables, archive, seasons, transitions, recall)}


def main():
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(PARTS)}; all without any")
    parser.add_argument("--seeds", type=int, default=3, help="how many archive takes the mean of")
    parser.add_argument("--updates", type=int, default=2000, help="how many recall trains for")
    options = parser.parse_args()
    sizes = {"archive": [options.seeds], "recall": [options.updates]}
    for name in options.parts or PARTS:
        print(f"\n{name}\n", flush=True)
        PARTS[name](*sizes.get(name, ()))


if __name__ == "__main__":
    main()
