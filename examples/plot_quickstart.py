"""
Choosing a recurrent net by grid search
=======================================

Who is speaking? Nine men say the Japanese vowels /ae/; each utterance is a sequence of 7 to 29 steps, and each step has
12 numbers, the cepstrum coefficients of 26 ms of sound. A recurrent net reads an utterance step by step and names the
speaker. Which cell and how many units it should have is a question for :class:`~sklearn.model_selection.GridSearchCV`,
as with any other estimator: on the 270 utterances of the training set, while the other 370 wait for the end.
"""

# %%
# The sequences
# -------------
# X is a list of arrays (steps, 12) of different lengths, and needs no padding. Nor does it need a scaler: a net learns
# the units of its features in ``fit``. In single precision everything takes half the memory and less time.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeClassifierCV
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.inspection import SearchDisplay, TrainingDisplay

X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
X = [utterance.astype(np.float32) for utterance in X]
X_test = [utterance.astype(np.float32) for utterance in X_test]
print(f"{len(X)} utterances to train on, of {min(map(len, X))} to {max(map(len, X))} steps; {len(X_test)} to test with")

# %%
# What a net has to beat
# ----------------------
# Before any net: how far does a linear model come, that sees of each utterance only the mean, the deviation, the first
# and the last step? Without such a reference nobody can say whether an accuracy is good.


def summary(sequences):
    """A row of a table for each sequence."""
    return np.array([np.concatenate([s.mean(axis=0), s.std(axis=0), s[0], s[-1]]) for s in sequences])


folds = StratifiedKFold(3, shuffle=True, random_state=0)
ridge = make_pipeline(StandardScaler(), RidgeClassifierCV())
ridge_score = cross_val_score(ridge, summary(X), y, cv=folds).mean()
ridge_test = ridge.fit(summary(X), y).score(summary(X_test), y_test)

# %%
# The search
# ----------
# Three cells, three sizes, the same folds. ``bidirectional=True`` reads each utterance in both directions; 25 epochs
# keep the search short. Nets that could still improve then say so by a ConvergenceWarning; here it is part of the plan.

warnings.simplefilter("ignore", ConvergenceWarning)
net = RNNClassifier(bidirectional=True, max_iter=25, random_state=0)
grid = {"cell": ["rnn", "gru", "lstm"], "hidden_size": [8, 16, 32]}
search = GridSearchCV(net, grid, cv=folds).fit(X, y)

results = search.cv_results_
print(f"\n{'cell':>6} {'hidden':>7} {'accuracy':>9} {'±':>6} {'fit, s':>7}")
for i in np.argsort(results["rank_test_score"], kind="stable"):
    print(
        f"{results['param_cell'][i]:>6} {results['param_hidden_size'][i]:>7} {results['mean_test_score'][i]:>9.3f} "
        f"{results['std_test_score'][i]:>6.3f} {results['mean_fit_time'][i]:>7.2f}"
    )
print(f"{'ridge':>6} {'':>7} {ridge_score:>9.3f}")

# %%
# The table as a picture. The lines are means over the folds, the bars their standard deviations. Look at how far the
# bars overlap: that the best net is the best one is less certain than that 8 units are too few.

display = SearchDisplay.from_estimator(
    search, x="hidden_size", hue="cell", reference={"ridge on summaries": ridge_score}
)
display.figure_.set_size_inches(9, 5)
display.axes_[0].set_title("The search: training utterances that were held out")

# %%
# How the best net was trained
# ----------------------------
# The search has fitted the best candidate once more, to all training utterances. Its loss comes to rest at the end, as
# the learning rate goes to zero by then. A loss that jumps would ask for a lower ``learning_rate_init``, one that still
# falls steeply at the end for more epochs.

best = search.best_estimator_
display = TrainingDisplay.from_estimator(best)
display.axes_[0].set_title(f"The training of the best net: {best.cell}, {best.hidden_size} units in each direction")

# %%
# The speakers it confuses
# ------------------------
# Now, once, the test set. A confusion matrix says more than one number: all utterances beside the diagonal are
# mistakes, in the row of the man who spoke and the column of the one whom the net named.

score = search.score(X_test, y_test)
wrong = round((1 - score) * len(X_test))
print(f"\nBest: {best.cell} with {best.hidden_size} units in each direction")
print(f"Test accuracy on {len(X_test)} utterances: {score:.3f}, {wrong} of them wrong")
print(f"    to compare: {ridge_test:.3f}  ridge classifier on the summaries")
print("    to compare: 0.989  eleven LSTMs together, utterances resampled to 26 steps (RUG, 2021)")

figure, axes = plt.subplots(figsize=(5.2, 5), layout="constrained")
confusion = ConfusionMatrixDisplay.from_estimator(search, X_test, y_test, cmap="Blues", colorbar=False, ax=axes)
for text in confusion.text_[confusion.confusion_matrix == 0]:
    text.set_visible(False)
axes.set(
    xlabel="speaker whom the net named", ylabel="speaker who spoke",
    title=f"{len(X_test) - wrong} of {len(X_test)} test utterances are right",
)

# %%
# What to change
# --------------
# Search ``dropout`` or ``pooling`` as well; take ``n_jobs=2`` where there are several processors; leave out
# ``max_iter``, and a net decides how long to train. A difference of two or three utterances between two accuracies is
# luck: repeat with another ``random_state`` before you believe it.

plt.show()
