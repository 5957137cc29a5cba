"""
A label for every step, while the steps come in
===============================================

Who is speaking *now*? In a conversation the answer changes, and it is wanted at once, not when the recording is over.
With ``return_sequences=True`` a net gives a label to each step; with ``predict_proba_step`` it takes one step at a
time, as a microphone delivers them, and carries what it has heard in a state.
"""

# %%
# Conversations
# -------------
# Four of the nine speakers of the Japanese vowels, one utterance after the other: X is a list of arrays (steps, 12), y
# a list of arrays (steps,). Training and test conversations are made of different utterances.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.inspection import SequencePredictionDisplay

SPEAKERS = np.array(["A", "B", "C", "D"])
TURNS = 8              # utterances of a conversation
STEP = 0.0064       # seconds


def conversations(subset, n, seed):
    """n sequences of utterances, and who speaks at each step."""
    utterances, speaker = load_japanese_vowels(subset=subset, return_X_y=True)
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        turns = rng.choice(np.flatnonzero(speaker < len(SPEAKERS)), TURNS, replace=False)
        X.append(np.concatenate([utterances[i] for i in turns]).astype(np.float32))
        y.append(np.concatenate([np.full(len(utterances[i]), SPEAKERS[speaker[i]]) for i in turns]))
    return X, y


X, y = conversations("train", 200, seed=0)
X_test, y_test = conversations("test", 60, seed=1)

# %%
# A net that listens
# ------------------
# It reads forwards only, since what comes next is not there yet. A second net reads both directions, and needs the
# whole conversation for it: how much better is who may wait?

warnings.simplefilter("ignore", ConvergenceWarning)     # 15 epochs are enough here
net = RNNClassifier(32, return_sequences=True, max_iter=15, random_state=0).fit(X, y)
waiting = RNNClassifier(16, bidirectional=True, return_sequences=True, max_iter=15, random_state=0).fit(X, y)
print(f"Steps whose speaker is right: {net.score(X_test, y_test):.3f}")
print(f"    with both directions: {waiting.score(X_test, y_test):.3f}")

# %%
# Step by step
# ------------
# One step in, probabilities out, some microseconds later. The state is a row of numbers: keep it between two steps,
# one for each conversation. The probabilities are, to the bit, those that ``predict_proba`` gives to the whole.

conversation, spoke = X_test[43], y_test[43]       # all four speak, and it goes as well as on average
state = net.initial_state()
stream = []
for step in conversation:
    probabilities, state = net.predict_proba_step(step, state)
    stream.append(probabilities)
stream = np.array(stream)
print(f"The same bits as all steps at once: {np.array_equal(stream, net.predict_proba([conversation])[0])}")

# %%
# Above, who spoke and whom the net named; below, how sure it was. After each change of speakers it needs a moment to
# notice, and once it takes B for D.

display = SequencePredictionDisplay.from_predictions(
    spoke, stream, classes=net.classes_, times=np.arange(len(stream)) * STEP, x_name="time, s"
)
display.axes_[0].set_title("Who is speaking? Four speakers in turn")
display.legend_.set_title("speaker")
display.figure_.set_size_inches(10, 4)

# %%
# How long it takes to notice
# ---------------------------
# Over all test conversations: the accuracy of each step, by the time since the speaker changed. The net that may wait
# knows what comes after, and is nearly always right from the first step on. The one that listens is still at the voice
# before, and catches up within 50 ms. That is the price of an answer at once, and there is no other.


def steps_since_change(labels):
    """The number of steps since the label changed, at each step; the first turn does not count and has -1."""
    steps = np.arange(len(labels))
    changed = np.append(False, labels[1:] != labels[:-1])
    since = steps - np.maximum.accumulate(np.where(changed, steps, 0))
    return np.where(np.cumsum(changed) == 0, -1, since)


SHOWN = 15
since = np.concatenate([steps_since_change(labels) for labels in y_test])
accuracy = {}
for name, each in {"both directions, whole conversation": waiting, "forwards, step by step": net}.items():
    right = np.concatenate(list(each.predict(X_test))) == np.concatenate(y_test)
    accuracy[name] = [right[since == k].mean() for k in range(SHOWN)]

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, values), marker in zip(accuracy.items(), "so", strict=True):
    axes.plot(np.arange(1, SHOWN + 1) * STEP * 1000, values, marker=marker, label=name)
axes.set(
    xlabel="time since another speaker began, ms", ylabel="fraction of steps that are right", ylim=(0, 1.02),
    title=f"How soon a change is noticed, in {len(X_test)} conversations",
)
axes.grid(alpha=0.3)
axes.legend(loc="lower right")

# %%
# What to change
# --------------
# Many conversations at once are rows of one array: ``predict_proba_step(steps, states)``. If an answer may come a
# little late, train with labels that are moved by some steps, and the net hears a bit of what comes after. Where only
# some steps have a label, give the others None or NaN.

plt.show()
