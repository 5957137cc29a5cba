"""
Choosing a recurrent net by grid search
=======================================

Nine speakers say the Japanese vowels /ae/; each utterance is a sequence of 7 to 29 steps of 12 cepstrum coefficients. A
net reads both directions of it, in units of its own, and says whose it is; GridSearchCV chooses the cell and its hidden
size on the 270 training utterances, and the other 370 test the choice.
"""

import warnings
from pathlib import Path
from time import perf_counter

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels

# Test accuracies from elsewhere, for comparison.
PUBLISHED = {
    "ridge classifier on each utterance's mean, deviation, first and last step": 0.986,
    "eleven LSTMs together, utterances resampled to 26 steps (RUG, 2021)": 0.989,
}


def single_precision(sequences):
    """float32 stays float32 in skrnn, and is faster."""
    return [sequence.astype(np.float32) for sequence in sequences]


def search(X, y):
    """The fitted grid search over cell and hidden size."""
    net = RNNClassifier(bidirectional=True, max_iter=50, random_state=0)
    grid = {"cell": ["rnn", "gru", "lstm"], "hidden_size": [8, 16, 32]}
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return GridSearchCV(net, grid, cv=folds).fit(X, y)


def print_table(results):
    """A line for each candidate, the best first."""
    print(f"{'cell':>6} {'hidden':>7} {'accuracy':>9} {'±':>6} {'fit, s':>7}")
    for i in np.argsort(results["rank_test_score"], kind="stable"):
        print(
            f"{results['param_cell'][i]:>6} {results['param_hidden_size'][i]:>7} "
            f"{results['mean_test_score'][i]:>9.3f} {results['std_test_score'][i]:>6.3f} "
            f"{results['mean_fit_time'][i]:>7.2f}"
        )


def plot_learning_curves(results, X, y, net, path):
    """Loss by epoch of the best hidden size of each cell, fitted to all training utterances."""
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for cell in dict.fromkeys(results["param_cell"]):
        of_cell = np.flatnonzero(results["param_cell"] == cell)
        i = of_cell[np.argmin(results["rank_test_score"][of_cell])]
        net.set_params(**results["params"][i]).fit(X, y)
        label = f"{cell}, {results['param_hidden_size'][i]} units"
        axes.plot(np.arange(1, net.n_iter_ + 1), net.loss_curve_, label=label)
    axes.set(xlabel="epoch", ylabel="training loss (log loss, nats)", yscale="log", title="Japanese vowels")
    axes.legend(title="best of each cell")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    """Search, report, draw."""
    warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of epochs is part of the search
    start = perf_counter()
    X, y = load_japanese_vowels(subset="train", return_X_y=True)
    X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
    X, X_test = single_precision(X), single_precision(X_test)
    found = search(X, y)
    print_table(found.cv_results_)
    chosen = found.best_estimator_
    print(f"\nBest: {chosen.cell} with {chosen.hidden_size} units in each direction")
    print(f"Test accuracy on {len(X_test)} utterances: {found.score(X_test, y_test):.3f}")
    for what, accuracy in PUBLISHED.items():
        print(f"    to compare: {accuracy:.3f}  {what}")
    path = Path(__file__).with_name("quickstart.png")
    plot_learning_curves(found.cv_results_, X, y, clone(found.best_estimator_), path)
    print(f"Took {perf_counter() - start:.1f} s. Learning curves: {path}")


if __name__ == "__main__":
    main()
