"""A part of `dask_.py`: a search of 12 fits over 10 MB of sequences, by the form that X has and how it is sent."""

import numpy as np
from joblib import parallel_config
from measure import Contest
from report import number
from sizes import Size
from sklearn.model_selection import GridSearchCV
from threads import n_threads

N_SEQUENCES, SHORTEST, LONGEST, N_FEATURES = 10_000, 30, 100, 2
PARAMETERS = {"hidden_size": [2, 4], "alpha": [0.0, 1e-3]}
N_FOLDS, ROUNDS = 3, 1
# Contenders: the form of X, joblib's backend, and whether X is scattered before
ROWS = {
    "one process": ("RaggedArray", "sequential", False),
    "loky, list": ("list", "loky", False),
    "loky, RaggedArray": ("RaggedArray", "loky", False),
    "Dask, list": ("list", "dask", False),
    "Dask, scattered list": ("list", "dask", True),
    "Dask, WithStatic of a list": ("WithStatic", "dask", False),
    "Dask, RaggedArray": ("RaggedArray", "dask", False),
    "Dask, scattered RaggedArray": ("RaggedArray", "dask", True),
}


def forms():
    """X in each of its forms, and the labels of its sequences."""
    from skrnn import RaggedArray, WithStatic

    rng = np.random.default_rng(0)
    lengths = rng.integers(SHORTEST, LONGEST, N_SEQUENCES, endpoint=True)
    X = RaggedArray(rng.normal(size=(lengths.sum(), N_FEATURES)), lengths)
    items = [x.copy() for x in X]
    y = np.array([x[:, 0].mean() > 0 for x in items])
    return {"RaggedArray": X, "list": items, "WithStatic": WithStatic(items, np.zeros(N_SEQUENCES))}, y


class Search:
    """A grid search with X in one of its forms, over as many processes as this one has threads."""

    def __init__(self, X, y, backend, scattered):
        from skrnn import RNNClassifier

        self.X, self.y, self.backend, self.scattered = X, y, backend, scattered
        net = RNNClassifier(max_iter=1, batch_size=1000, random_state=0)
        self.search = GridSearchCV(net, PARAMETERS, cv=N_FOLDS, refit=False, n_jobs=n_threads())

    def step(self):
        with parallel_config(self.backend, **({"scatter": [self.X]} if self.scattered else {})):
            self.search.fit(self.X, self.y)


def search(client):
    """Seconds of a search over the workers of a cluster, and over processes of joblib's own."""
    X, y = forms()
    contest, n_bytes = Contest(0, ROUNDS), X["RaggedArray"].values.nbytes
    for name, (form, backend, scattered) in ROWS.items():
        contest.enter(name, Search, X[form], y, backend, scattered)
    yield "search", "", Size(f"{n_bytes / 1e6:.0f} MB", N_SEQUENCES, LONGEST, N_FEATURES, 0), contest.run()


def search_rows(results):
    """A row for each form of X and way to send it, a column for each number of workers."""
    cases = results.cases("search")
    rows = {name: {"X": name} for name in ROWS}
    for case in sorted(cases):
        for name, row in rows.items():
            row[f"{case[0]} workers, s"] = number(results.seconds("search", case, name))
    return list(rows.values()) if cases else []
