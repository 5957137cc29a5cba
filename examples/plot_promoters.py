"""
Which bases make a promoter
===========================

A promoter is a piece of DNA in front of a gene, where its transcription starts. Two boxes of six bases are known to
matter in Escherichia coli: about 35 and 10 bases before the start, often TTGACA and TATAAT. A net learns to tell
promoters from other pieces without being told of boxes. Which bases does it look at?
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from skrnn import RNNClassifier
from skrnn.datasets import load_promoters
from skrnn.inspection import AttributionDisplay, integrated_gradients

# %%
# The net
# -------
# 106 pieces of 57 bases, half of them promoters; a base is four numbers, of which one is 1. The net reads 19 bases at a
# time, in both directions. It was chosen among a dozen by its accuracy on the folds below and by what the pictures
# show, so the accuracy is somewhat optimistic.

pieces, y = load_promoters(return_X_y=True)
X = np.array([[[base == letter for letter in "ACGT"] for base in piece] for piece in pieces], dtype=float)
net = RNNClassifier(
    16, patch_size=19, patch_stride=19, bidirectional=True, pooling="last", alpha=1.0, learning_rate_init=0.01,
    max_iter=60, random_state=0,
)

# %%
# Explanations of what it has not seen
# ------------------------------------
# Every piece is explained by nets that have not seen it: in each of five folds a net learns from the other pieces.
# Integrated gradients say by how much each base raises the probability of a promoter, compared with a base that is none
# in particular: the mean of the training pieces, about a quarter of each letter. They sum to the difference of the
# probabilities, so they can be read as parts of it. The four numbers of a base are added up.

probability, attributions = np.empty(len(y)), np.empty((len(y), 57))
for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
    fold = clone(net).fit(X[train], y[train])
    probability[test] = fold.predict_proba(X[test])[:, 1]
    attributions[test] = integrated_gradients(fold, X[test], baseline="mean", target=1).sum(axis=2)
accuracy = np.mean((probability > 0.5) == y)
print(f"Accuracy on pieces that the net has not seen: {accuracy:.2f}")

# %%
# One promoter
# ------------
# The one of which the nets are most certain. Letters above the line speak for a promoter, those below it against one.

places = np.arange(-50, 7)
chosen = np.flatnonzero(y == 1)[np.argmax(probability[y == 1])]
display = AttributionDisplay(
    attributions=attributions[chosen, :, np.newaxis], values=X[chosen], symbols=pieces[chosen], times=places,
    time_name="base, counted from the start of transcription", output="A promoter: its probability",
    value=probability[chosen], caption="part of the probability",
).plot()

# %%
# All promoters
# -------------
# Their mean shows what they have in common: these nets have found both boxes, from 85 pieces. Of the other pieces no
# place stands out. An explanation says what a net looks at, and not what there is to see: a net with the default
# pooling is almost as accurate, and looks at a place around base −45.

mean = attributions[y == 1].mean(axis=0)
of_others = attributions[y == 0].mean(axis=0)
figure, ax = plt.subplots(figsize=(10, 3.2), layout="constrained")
for first, last, name in ((-36, -31, "−35 box\nTTGACA"), (-13, -8, "−10 box\nTATAAT")):
    part = mean[(places >= first) & (places <= last)].sum() / mean.sum()
    print(f"The {name.splitlines()[0]}, 6 of 57 bases, has {part:.0%} of what speaks for a promoter")
    ax.axvspan(first - 0.5, last + 0.5, color="0.9", zorder=0)
    ax.annotate(name, ((first + last) / 2, 0.98), xycoords=("data", "axes fraction"), ha="center", va="top")
ax.bar(places, mean, color="#b2182b", width=0.8, label="promoters")
ax.step(places, of_others, where="mid", color="0.3", linewidth=1, label="other pieces")
ax.axhline(0, color="0.4", linewidth=0.8)
ax.set(
    xlabel="base, counted from the start of transcription", ylabel="part of the probability,\nmean over pieces",
    title="What the net looks at, on pieces that it has not seen", xlim=(-51, 7),
)
ax.set_ylim(-0.2 * mean.max(), 1.35 * mean.max())
ax.legend(loc="upper right", frameon=False)
ax.spines[["top", "right"]].set_visible(False)

plt.show()
