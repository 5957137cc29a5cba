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
from matplotlib.colors import ListedColormap
from sklearn.exceptions import ConvergenceWarning

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels

SPEAKERS, TURNS = 4, 8
STEP = 0.0064       # seconds


def conversations(subset, n, seed):
    """n sequences of utterances, and who speaks at each step."""
    utterances, speaker = load_japanese_vowels(subset=subset, return_X_y=True)
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        turns = rng.choice(np.flatnonzero(speaker < SPEAKERS), TURNS, replace=False)
        X.append(np.concatenate([utterances[i] for i in turns]).astype(np.float32))
        y.append(np.concatenate([np.full(len(utterances[i]), speaker[i]) for i in turns]))
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
# One step in, probabilities out, some ten microseconds later. The state is a row of numbers: keep it between two steps,
# one for each conversation. The probabilities are, to the bit, those that ``predict_proba`` gives to the whole.

conversation, spoke = X_test[43], y_test[43]       # all four speak, and it goes as well as on average
state = net.initial_state()
stream = []
for step in conversation:
    probabilities, state = net.predict_proba_step(step, state)
    stream.append(probabilities)
stream = np.array(stream)
named = net.classes_[stream.argmax(axis=1)]
print(f"The same bits as all steps at once: {np.array_equal(stream, net.predict_proba([conversation])[0])}")

# %%
# Above, who spoke and whom the net named; below, how sure it was. After each change of speakers it needs a few
# hundredths of a second to notice.

colors = [f"C{speaker}" for speaker in range(SPEAKERS)]
edges = np.arange(len(conversation) + 1) * STEP
figure, (bands, chances) = plt.subplots(
    2, 1, figsize=(10, 4.2), sharex=True, height_ratios=(1, 2.5), layout="constrained"
)
bands.pcolormesh(
    edges, [0, 1, 2], [named, spoke], cmap=ListedColormap(colors), vmin=-0.5, vmax=SPEAKERS - 0.5
)
bands.axhline(1, color="white", linewidth=4)
bands.set(yticks=[0.5, 1.5], yticklabels=["the net named", "spoke"], title="Who is speaking?")
bands.tick_params(left=False)
chances.stackplot(
    edges, stream[np.append(0, np.arange(len(stream)))].T, step="pre", colors=colors,
    labels=[f"speaker {i + 1}" for i in range(SPEAKERS)],
)
for change in np.flatnonzero(np.diff(spoke)) + 1:
    chances.axvline(edges[change], color="black", linestyle=":", linewidth=1)
chances.plot([], [], "k:", linewidth=1, label="another one begins")
chances.set(xlabel="time, s", ylabel="probability", xlim=(0, edges[-1]), ylim=(0, 1))
figure.legend(loc="outside lower center", ncols=SPEAKERS + 1, frameon=False)

# %%
# How long it takes to notice
# ---------------------------
# Over all test conversations: the accuracy of each step, by the time since the speaker changed. The net that may wait
# knows what comes after, and is nearly always right from the first step on. The one that listens is still at the voice
# before, and catches up within 50 ms. That is the price of an answer at once, and there is no other.


def steps_since_change(labels):
    """The number of steps since the label changed, at each step; the first turn does not count and has -1."""
    changes = np.append(0, np.flatnonzero(np.diff(labels)) + 1)
    since = np.arange(len(labels)) - np.repeat(changes, np.diff(np.append(changes, len(labels))))
    return np.where(np.arange(len(labels)) < np.append(changes, len(labels))[1], -1, since)


since = np.concatenate([steps_since_change(labels) for labels in y_test])
SHOWN = 15
delay = {
    name: [np.concatenate(right)[since == k].mean() for k in range(SHOWN)]
    for name, right in {
        "both directions, whole conversation": [a == b for a, b in zip(waiting.predict(X_test), y_test, strict=True)],
        "forwards, step by step": [a == b for a, b in zip(net.predict(X_test), y_test, strict=True)],
    }.items()
}
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for (name, values), marker in zip(delay.items(), "so", strict=True):
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
