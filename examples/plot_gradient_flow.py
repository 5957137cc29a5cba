"""
Why an LSTM remembers: the gradient on its way back
===================================================

The adding problem is the classical test of a long memory: a sequence of a hundred numbers, two of which are marked, one
in the first half and one in the second, and the target is their sum. An LSTM learns it and an Elman network does not.
This example shows why: what the loss says about the first steps gets lost on the way back to them. It ends with the
opposite, a gradient that explodes, and what clipping does about it.
"""

# %%
# The data, and two nets
# ----------------------
#
# Everything but the cell is the same.

import matplotlib.pyplot as plt

from skrnn import RNNRegressor
from skrnn.datasets import make_adding
from skrnn.inspection import GradientFlowDisplay, HiddenStateDisplay

X, y = make_adding(1500, n_steps=100, random_state=0)
X_test, y_test = make_adding(200, n_steps=100, random_state=1)

shared = {
    "hidden_size": 16, "pooling": "last", "patch_size": None, "learning_rate_init": 0.01, "max_grad_norm": 1.0,
    "random_state": 0,
}
nets = {"Elman": RNNRegressor(cell="rnn", **shared), "LSTM": RNNRegressor(cell="lstm", **shared)}

# %%
# How the gradient comes back
# ---------------------------
#
# The display shows the norm of the gradient of the loss in the state after every step. The loss is computed at the
# right end, and time runs to the right, so the gradient travels to the left. The axis is logarithmic, and the legend
# says by what the gradient is multiplied from step to step. It is drawn after one epoch of training, and after fifteen.

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True, layout="constrained")
flows = {}
for ax, n_epochs in zip(axes, (1, 14), strict=True):
    for name, net in nets.items():
        for _ in range(n_epochs):
            net.partial_fit(X, y)
        flows[name] = GradientFlowDisplay.from_estimator(net, X_test, y_test, ax=ax, name=name, include_clipped=False)
    ax.set_title(f"After {net.n_iter_} epoch{'s' if net.n_iter_ > 1 else ''} of training")
axes[1].set_ylabel("")

scores = {name: net.score(X_test, y_test) for name, net in nets.items()}
for name, score in scores.items():
    print(f"{name:5s} R² on new sequences {score:5.2f}")

# %%
# In the beginning both vanish, the Elman network's faster. Then the LSTM learns to keep its gates open: its line is
# flat, what was marked a hundred steps ago changes the loss as much as what is marked now. In the Elman network the
# gradient is multiplied by less than one in each step, and a hundred such factors leave nothing to learn from.
#
# What the LSTM holds
# -------------------
#
# The cells of the LSTM over a single sequence, ordered by when they are farthest from zero. Above them is what the net
# reads. The colors change where a number is marked, and stay until the end.

cells = HiddenStateDisplay.from_estimator(
    nets["LSTM"], X_test, sequence=3, state="c", order="peak", feature_names=["number", "marker"]
)
cells.figure_.suptitle("What an LSTM keeps of a sequence")
cells.colorbar_.set_label("state c of the cell")

# %%
# When it explodes
# ----------------
#
# An Elman network with the activation "relu" begins with the identity as recurrent weights, which pass the gradient on
# as it is. Here they are 5 % larger, so that it grows from step to step back. The limit `max_grad_norm` takes the
# gradient of a batch that is too long and scales all of it: the dotted line is what is left. The update is of a sane
# size then, but what the last steps say is as much smaller as what the first ones do, and clipping brings nothing back
# that has vanished.

relu = RNNRegressor(cell="rnn", activation="relu", **shared | {"learning_rate_init": 1e-4}).partial_fit(X, y)
relu.set_parameters(relu.parameters_ | {"layer0.U": 1.05 * relu.parameters_["layer0.U"]})
exploding = GradientFlowDisplay.from_estimator(relu, X_test, y_test, name="Elman, relu")
exploding.ax_.set_title("A gradient that explodes, and what clipping leaves of it")

plt.show()
