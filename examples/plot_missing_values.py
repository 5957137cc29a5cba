"""
Missing values: accidents and messages
======================================

A sensor fails now and then, a nurse measures when it seems necessary, a scale ends at 100: values are missing for many
reasons, and what to do depends on the reason. A gap by accident says nothing and can be filled with almost anything. A
gap that has to do with the value itself is a message, and a net has to be told where it is.
"""

# %%
# Two kinds of gaps
# -----------------
# From the same data, the Japanese vowels by nine speakers, values are removed in two ways: a fraction of them at
# random, and the greatest ones of each feature, as a sensor loses them whose scale ends too early.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.preprocessing import SequenceImputer

X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
X = [x.astype(np.float32) for x in X]
X_test = [x.astype(np.float32) for x in X_test]
every_step = np.concatenate(X)


def without_some(sequences, fraction, seed):
    """The sequences without a fraction of their values, at random."""
    rng = np.random.default_rng(seed)
    return [np.where(rng.uniform(size=x.shape) < fraction, np.float32(np.nan), x) for x in sequences]


def without_greatest(sequences, fraction):
    """The sequences without values above a limit for each feature, which that fraction of the training data exceeds."""
    limits = np.quantile(every_step, 1 - fraction, axis=0)
    return [np.where(x > limits, np.float32(np.nan), x) for x in sequences]


# %%
# Ways to read them
# -----------------
# ``missing="ffill"`` carries the last value forward. ``missing="indicator"`` does so as well, and gives the net a
# second feature that says "this one is filled". ``missing="decay"`` lets the last value fade towards the mean, at a
# pace that it learns, and tells where the gaps are, too. ``SequenceImputer`` before the net fills with means or by
# interpolation.

warnings.simplefilter("ignore", ConvergenceWarning)     # 20 epochs are enough to compare
net = RNNClassifier(max_iter=20, random_state=0)
models = {
    "filled with the mean": make_pipeline(SequenceImputer(), net),
    'missing="ffill"': RNNClassifier(missing="ffill", max_iter=20, random_state=0),
    'missing="indicator"': RNNClassifier(missing="indicator", max_iter=20, random_state=0),
    'missing="decay"': RNNClassifier(missing="decay", max_iter=20, random_state=0),
}
complete = net.fit(X, y).score(X_test, y_test)
fractions = [0.3, 0.6]
kinds = {
    "at random": [(without_some(X, f, 0), without_some(X_test, f, 1)) for f in fractions],
    "the greatest values": [(without_greatest(X, f), without_greatest(X_test, f)) for f in fractions],
}
accuracy = {
    kind: {name: [model.fit(a, y).score(b, y_test) for a, b in data] for name, model in models.items()}
    for kind, data in kinds.items()
}
print(f"Accuracy on {len(X_test)} test utterances; with all values {complete:.3f}")
for kind, of_kind in accuracy.items():
    print(f"\n{'missing ' + kind:<30}" + "".join(f"{f:>8.0%}" for f in fractions))
    for name, values in of_kind.items():
        print(f"    {name:<26}" + "".join(f"{value:>8.3f}" for value in values))

# %%
# What a net sees
# ---------------
# One feature of one utterance. The greater half of all values of this feature is lost, which in this utterance are its
# peaks. Filled, they look like calm; only the marks at the bottom, which ``missing="indicator"`` passes on, tell that
# there was something.

utterance, feature = X_test[7], 4
gone = without_greatest([utterance], 0.5)[0][:, feature]
filled = SequenceImputer(strategy="ffill").fit(without_greatest(X, 0.5)).transform(without_greatest([utterance], 0.5))
steps = np.arange(1, len(utterance) + 1)
figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
axes.plot(steps, utterance[:, feature], "o:", color="0.6", markerfacecolor="white", label="said")
axes.plot(steps, filled[0][:, feature], color="C1", drawstyle="steps-mid", label="last value carried forward")
axes.plot(steps, gone, "o", color="black", label="measured")
floor = utterance[:, feature].min() - 0.15
axes.plot(steps[np.isnan(gone)], np.full(np.isnan(gone).sum(), floor), "s", color="C2", label="marked as missing")
axes.axhline(floor + 0.08, color="0.7", linewidth=0.8)      # the marks are no values
axes.set(
    xlabel="step", ylabel=f"cepstrum coefficient {feature + 1}", title="An utterance whose greatest values are lost",
    xticks=range(5, len(utterance) + 1, 5), yticks=np.arange(-0.2, 0.4, 0.1), ylim=(floor - 0.07, 0.4),
)
figure.legend(loc="outside lower center", ncols=4, frameon=False)

# %%
# What it costs
# -------------
# Left, gaps by accident: the four lines lie together, and half of the values could be lost before it cost much. Right,
# gaps that are messages: nets that are told where the gaps are stay far above those that read filled values as if these
# had been measured.

figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
for axes, (kind, of_kind) in zip(panels, accuracy.items(), strict=True):
    for (name, values), marker in zip(of_kind.items(), "sov^", strict=True):
        axes.plot([0, *fractions], [complete, *values], marker=marker, label=name)
    axes.set(xlabel="fraction of the values that is missing", title=f"Missing: {kind}", xticks=[0, *fractions])
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.grid(alpha=0.3)
panels[0].set(ylabel="accuracy on the test utterances", ylim=(0.7, 1))
panels[0].legend(loc="lower left")

# %%
# What to change
# --------------
# In your own data: fit with ``missing="indicator"`` and with ``missing="ffill"``. If the first is clearly better, gaps
# are messages, and worth a question to those who measure. Where times between steps are uneven, ``times`` tells the net
# how old each value is.

plt.show()
