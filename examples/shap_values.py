"""
SHAP values of what a net says of a sequence
============================================

A prediction of a net is divided among the twelve features of an utterance, by Shapley values: the mean change of the
prediction when a feature comes in, over all orders in which features may come in. The package shap estimates them from
predictions alone. Here there are few enough features to compute them exactly, and the two can be compared; and
integrated gradients, which divide the same difference in another way, at a fraction of the cost.

Needs the package shap: ``pip install shap``.
"""

import logging
from itertools import product
from math import comb
from time import perf_counter

import numpy as np
import shap

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.inspection import integrated_gradients

logging.getLogger("shap").setLevel(logging.WARNING)

# %%
# A net that tells nine speakers apart by utterances of 7 to 29 steps, and an utterance that it has not seen.
X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)
net = RNNClassifier(16, bidirectional=True, max_iter=40, random_state=0).fit(X, y)
x = X_test[0]
T, D = x.shape
speaker = net.predict([x])[0]
column = list(net.classes_).index(speaker)

# %%
# Explanations begin with a question: which part of the sequence made the net say more than of what? Here it is compared
# with a sequence that is the mean of the training data at every step, and the parts are the twelve features. A *player*
# is a set of cells of the sequence, an array (T, D) of bools; a game lets some players in, and leaves all other
# cells at their means. SHAP wants a function of such switches, (m, players), and this is all that it takes to
# explain sequences by shap, of any length: one sequence at a time.
background = np.tile(np.concatenate(X).mean(axis=0), (T, 1))
n_predictions = 0


def game(players):
    """The predicted probability of the speaker as a function of which players are in."""

    def value(switches):
        global n_predictions
        n_predictions += len(switches)
        cells = np.einsum("mp,ptd->mtd", switches, players) > 0
        return net.predict_proba(np.where(cells, x, background))[:, column]

    return value


features = np.zeros((D, T, D), dtype=bool)
features[np.arange(D), :, np.arange(D)] = True
value = game(features)
everyone, nobody = value(np.ones((1, D)))[0], value(np.zeros((1, D)))[0]
print(f"An utterance of {T} steps, speaker {speaker}: probability {everyone:.3f}, of the means alone {nobody:.3f}")

# %%
# Twelve players make 4096 coalitions, so that the formula can be computed as it stands: the change by a player
# has the weight 1 / (D · C(D − 1, s)) for each coalition of s others.
started, n_predictions = perf_counter(), 0
coalitions = np.array(list(product([0, 1], repeat=D)))
values, size = value(coalitions), coalitions.sum(axis=1)
number = coalitions @ (1 << np.arange(D)[::-1])     # of a coalition in this order
exact = np.empty(D)
for player in range(D):
    without = coalitions[:, player] == 0
    weights = 1 / np.array([D * comb(D - 1, s) for s in size[without]])
    gain = values[number[without] + (1 << (D - 1 - player))] - values[without]
    exact[player] = weights @ gain
cost = {"exact Shapley values": (n_predictions, perf_counter() - started)}

# %%
# SHAP fits a linear model to the values of coalitions. Where it may try all of them it finds the same numbers, and with
# 300 of them it comes near.
estimates = {}
for n_coalitions in (300, 2**D):
    started, n_predictions = perf_counter(), 0
    explainer = shap.KernelExplainer(value, np.zeros((1, D)))
    np.random.seed(0)       # noqa: NPY002           shap draws from there
    estimates[n_coalitions] = explainer.shap_values(np.ones((1, D)), nsamples=n_coalitions, l1_reg=0, silent=True)[0]
    cost[f"shap, {n_coalitions} coalitions"] = n_predictions, perf_counter() - started

# %%
# Integrated gradients follow the straight way from the means to the utterance. They belong to cells; their sum over
# steps is that of a feature.
started = perf_counter()
cells, n_points = integrated_gradients(net, [x], baseline=[background], target=speaker, return_n_points=True)
along_the_way = cells[0].sum(axis=0)
cost["integrated gradients"] = int(n_points[0]), perf_counter() - started

print("\nFeature   exact   shap, 300   shap, all   integrated gradients")
for j in np.argsort(-np.abs(exact)):
    print(f"{j:>7} {exact[j]:>7.3f} {estimates[300][j]:>11.3f} {estimates[2**D][j]:>11.3f} {along_the_way[j]:>22.3f}")
sums = [each.sum() for each in (exact, estimates[300], estimates[2**D], along_the_way)]
print(f"    sum {sums[0]:>7.3f} {sums[1]:>11.3f} {sums[2]:>11.3f} {sums[3]:>22.3f}   of {everyone - nobody:.3f}")
print("\nCost: predictions (or gradients) of one sequence, and seconds")
for name, (n, seconds) in cost.items():
    print(f"  {name:<24} {n:>6} {seconds:>8.3f}")

# %%
# Any other parts are players, too. Four parts of the utterance in time: when did the net hear who it is?
quarters = np.zeros((4, T, D), dtype=bool)
for quarter, steps in enumerate(np.array_split(np.arange(T), 4)):
    quarters[quarter, steps] = True
explainer = shap.KernelExplainer(game(quarters), np.zeros((1, 4)))
in_time = explainer.shap_values(np.ones((1, 4)), nsamples=2**4, l1_reg=0, silent=True)[0]
print("\nQuarters of the utterance, by shap and by integrated gradients:")
for quarter, steps in enumerate(np.array_split(np.arange(T), 4)):
    print(f"  steps {steps[0]:>2} to {steps[-1]:>2} {in_time[quarter]:>8.3f} {cells[0][steps].sum():>8.3f}")
