"""How wide an embedding should be: rules for embedding_dim="auto", over problems and seeds. See docs/study.md.

    python benchmarks/embedding_sizes.py [--problems shops] [--seeds 0 1 2] [--jobs 2] [--max-iter auto]

A figure is accuracy, or R² where targets are numbers, on held-out data; the mean over seeds and its standard error.
All but the promoters are made here, by the generators below; a seed is one of the data and of the net, whose other
parameters are the defaults.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import load_promoters

# The width for n categories
RULES = {
    "1.6 n^0.56": lambda n: min(50, round(1.6 * n**0.56)),
    "(n + 1) / 2": lambda n: min(50, (n + 1) // 2),
    "n^0.25": lambda n: max(1, round(n**0.25)),
    "log2 n": lambda n: max(1, round(np.log2(n))),
    "2 log2 n": lambda n: max(1, round(2 * np.log2(n))),
    "always 8": lambda n: 8,
}


def wards(rng, n=1500, n_wards=30):
    """Two numbers x and a ward w a step: whether Σ e(w) · x > 0, where each ward weighs the numbers in its own way.

    The wards are taken equally often; e(w) is standard normal in two dimensions.
    """
    effect = rng.normal(size=(n_wards, 2))
    x, w = rng.normal(size=(n, 20, 2)), rng.integers(n_wards, size=(n, 20))
    return np.dstack([x, w]), np.einsum("ntk,ntk->n", effect[w], x) > 0, [2]


def shops(rng, n=1500, n_shops=300):
    """A number x and a shop s a step: Σ a(s) 0.8^(T − t) + x_T / 2 with noise, a standard normal.

    Shops are taken as Zipf's law has it, so that many are rare.
    """
    effect, share = rng.normal(size=n_shops), 1 / np.arange(1, n_shops + 1)
    x, s = rng.normal(size=(n, 15)), rng.choice(n_shops, p=share / share.sum(), size=(n, 15))
    y = effect[s] @ 0.8 ** np.arange(14, -1, -1) + x[:, -1] / 2 + 0.3 * rng.normal(size=n)
    return np.dstack([x, s]), y, [1]


def kinds(rng, n=1500, n_products=60, n_kinds=4, n_days=7):
    """A product and a day a step: whether a product of kind 0 is followed by one of kind 1, on a weekend.

    Each product is of one kind, which X does not tell.
    """
    kind = rng.permutation(np.arange(n_products) % n_kinds)
    product, day = rng.integers(n_products, size=(n, 12)), (rng.integers(n_days, size=(n, 1)) + np.arange(12)) % n_days
    of_kind = kind[product]
    y = ((of_kind[:, :-1] == 0) & (of_kind[:, 1:] == 1) & (day[:, 1:] >= 5)).any(axis=1)
    return np.dstack([product, day]), y, [0, 1]


def names(rng, n=1500, n_letters=26):
    """Letters of a name: which of three languages it is of, Markov chains with probabilities drawn from Dirichlet(0.3).
    """
    chains = rng.dirichlet(np.full(n_letters, 0.3), size=(3, n_letters)).cumsum(axis=-1)
    y, X = rng.integers(3, size=n), []
    for language in y:
        name = [rng.integers(n_letters)]
        for _ in range(rng.integers(3, 7)):
            name.append(min(n_letters - 1, np.searchsorted(chains[language, name[-1]], rng.random())))
        X.append(np.array(name, float)[:, np.newaxis])
    return X, y, [0]


def promoters(rng):
    """Letters of DNA: whether it is a promoter."""
    X, y = load_promoters(return_X_y=True)
    letters = np.array([list(x) for x in X])
    order = rng.permutation(len(y))
    return np.searchsorted(list("acgt"), letters)[order][:, :, np.newaxis].astype(float), y[order], [0]


PROBLEMS = {"wards": wards, "shops": shops, "kinds": kinds, "names": names, "promoters": promoters}


def score(problem, rule, seed, max_iter):
    """The score of a net that is trained on a third of the data, or four fifths of the promoters."""
    X, y, categorical = PROBLEMS[problem](np.random.default_rng(seed))
    n = len(y) * 4 // 5 if problem == "promoters" else len(y) // 3
    sizes = {f"x{j}": RULES[rule](len({value for x in X[:n] for value in x[:, j]}) + 1) for j in categorical}
    net = (RNNRegressor if y.dtype == float else RNNClassifier)(
        categorical_features=categorical, embedding_dim=sizes, max_iter=max_iter, random_state=seed
    )
    return net.fit(X[:n], y[:n]).score(X[n:], y[n:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--max-iter", default="auto", type=lambda text: text if text == "auto" else int(text))
    arguments = parser.parse_args()
    problems = arguments.problems
    cells = [(problem, rule, seed) for problem in problems for rule in RULES for seed in arguments.seeds]
    scores = dict(zip(cells, Parallel(arguments.jobs)(
        delayed(score)(*cell, arguments.max_iter) for cell in cells
    ), strict=True))
    print(f"{'':12}" + "".join(f"{problem:>16}" for problem in problems) + f"{'mean':>8}")
    for rule in RULES:
        rows = np.array([[scores[problem, rule, seed] for seed in arguments.seeds] for problem in problems])
        errors = rows.std(axis=1, ddof=1) / np.sqrt(rows.shape[1])
        print(f"{rule:12}" + "".join(
            f"{mean:9.3f} ±{error:.3f}" for mean, error in zip(rows.mean(axis=1), errors, strict=True)
        ) + f"{rows.mean():8.3f}")


if __name__ == "__main__":
    main()
