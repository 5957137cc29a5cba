"""What early stopping goes by: the area under the ROC curve on generated patients of whom few are positive.

    python benchmarks/early_stopping.py

Each patient is a sequence of measurements; the risk depends on the course of two of them. Printed are, as means over
seeds, the epochs, the epoch whose parameters were kept, and the area on other patients.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score

from skrnn import RNNClassifier

N_PATIENTS, N_TEST, N_STEPS, SEEDS = 1800, 4000, 20, range(3)
POSITIVE = 0.077


def patients(n, rng):
    """Sequences (n, steps, 3), and which of them are positive."""
    X = np.cumsum(rng.normal(size=(n, N_STEPS, 3)), axis=1) / np.sqrt(N_STEPS)
    risk = 1.5 * X[:, :, 0].max(axis=1) - 1.5 * X[:, N_STEPS // 2 :, 1].mean(axis=1) + 0.7 * rng.logistic(size=n)
    return X, risk > np.quantile(risk, 1 - POSITIVE)


def main():
    """Print a row for each choice of `scoring`."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(f"{N_PATIENTS} patients, {POSITIVE:.1%} positive, {len(SEEDS)} seeds\n")
    print(f"{'early stopping':<20} {'epochs':>6} {'kept':>6} {'AUC':>6}")
    for name, settings in {
        "none": {}, "scoring=None": {"early_stopping": True, "scoring": None},
        "scoring='loss'": {"early_stopping": True}, "scoring='roc_auc'": {"early_stopping": True, "scoring": "roc_auc"},
    }.items():
        rows = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            (X, y), (X_test, y_test) = patients(N_PATIENTS, rng), patients(N_TEST, rng)
            net = RNNClassifier(random_state=seed, **settings).fit(X, y)
            rows.append((net.n_iter_, net.best_iter_, roc_auc_score(y_test, net.predict_proba(X_test)[:, 1])))
        epochs, kept, area = np.mean(rows, axis=0)
        print(f"{name:<20} {epochs:6.0f} {kept:6.0f} {area:6.3f}", flush=True)


if __name__ == "__main__":
    main()
