"""
Sequences of different lengths
==============================

Real sequences have different lengths: utterances, stays in a hospital, sessions on a web site. This example shows how
they go into a net without padding, what padding would cost, and the other side of the matter: a net that is to answer
early, before a sequence has ended, has to have seen sequences that end early.
"""

# %%
# A list of arrays
# ----------------
# The Japanese vowels: who of nine speakers said /ae/? X is a list of arrays (steps, 12), a step every 6.4 ms. A net
# takes the list as it is.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels

warnings.simplefilter("ignore", ConvergenceWarning)     # 40 epochs are enough to see what there is to see

X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
X = [x.astype(np.float32) for x in X]
X_test = [x.astype(np.float32) for x in X_test]
net = RNNClassifier(missing="ffill", max_iter=40, random_state=0)
net.fit(X, y)
print(f"Accuracy on whole utterances: {net.score(X_test, y_test):.3f}")

# %%
# Data that are padded already can stay so. With any ``missing`` but "error" NaN is allowed, and NaN at the end is
# padding: the net reads the steps before it, and its answers have the same bits.

lengths = np.array([len(x) for x in X_test])
padded = np.full((len(X_test), lengths.max(), 12), np.nan, np.float32)
for row, x in zip(padded, X_test, strict=True):
    row[: len(x)] = x
same = np.array_equal(net.predict_proba(padded), net.predict_proba(X_test))
print(f"The same probabilities, padded or not: {same}")

# %%
# Beginnings
# ----------
# The first k steps of an utterance are a shorter sequence, ``x[:k]``. The net was trained on whole utterances only, and
# its answers to beginnings are poor. That is not because a beginning says little: a second net, which is given each
# utterance twice, whole and cut off at random, knows much sooner who speaks.

rng = np.random.default_rng(0)
beginnings = [x[: rng.integers(1, len(x), endpoint=True)] for x in X]
early = clone(net).fit(X + beginnings, np.concatenate([y, y]))

heard = np.arange(1, 21)
accuracy = {
    "trained on whole utterances": [net.score([x[:k] for x in X_test], y_test) for k in heard],
    "trained on beginnings, too": [early.score([x[:k] for x in X_test], y_test) for k in heard],
}
for name, values in accuracy.items():
    print(f"{name:<30}" + "".join(f"  {k:>2} steps {values[k - 1]:.2f}" for k in (1, 5, 10, 20)))

# %%
# What to see
# -----------
# On the left, how long the utterances are. Padded to the longest one, the hatched part would be computed as well,
# almost as much again as there is. On the right, how many of the test utterances are recognized by their first steps;
# one that is shorter is heard to its end. Between the two lines lies what it costs to train on other lengths than one
# asks about; for it the second net is a little worse on whole utterances.

padding = 1 - lengths.sum() / (len(lengths) * lengths.max())
print(f"Of an array of {len(lengths)} utterances by {lengths.max()} steps, {padding:.0%} would be padding")

figure, (by_length, by_steps) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=(2, 3), layout="constrained")
still_there = [(lengths >= step).sum() for step in range(1, lengths.max() + 1)]
steps = np.arange(1, lengths.max() + 1)
by_length.bar(steps, still_there, width=1, color="C2", label="steps of utterances")
by_length.bar(
    steps, len(lengths) - np.array(still_there), width=1, bottom=still_there, color="white", edgecolor="0.6",
    hatch="///", linewidth=0, label=f"padding, {100 * padding:.0f} %",
)
by_length.set(
    xlabel="step", ylabel="test utterances that have it", title="How long the utterances are",
    xlim=(0.5, lengths.max() + 0.5), ylim=(0, len(lengths)),
)
by_length.legend(loc="upper right", framealpha=1)

for (name, values), marker in zip(accuracy.items(), "os", strict=True):
    by_steps.plot(heard, values, marker=marker, markersize=4, label=name)
by_steps.axhline(1 / 9, color="gray", linestyle=":", label="guessing, 1 of 9")
by_steps.set(
    xlabel="steps heard, 6.4 ms each", ylabel="accuracy on the test utterances", ylim=(0, 1), xticks=[1, 5, 10, 15, 20],
    title="How soon a net knows who speaks",
)
by_steps.legend(loc="lower right")
by_steps.grid(alpha=0.3)

# %%
# What to change
# --------------
# Cut off more, or at fixed numbers of steps, if the time of the answer is fixed. ``pooling="last"`` reads only the last
# state in place of a summary of all; and where an answer is wanted at every step, see ``plot_streaming_labels.py``.

plt.show()
