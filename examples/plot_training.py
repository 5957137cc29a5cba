"""
Watching a net learn: early stopping and clipping
=================================================

The loss that training makes smaller falls and falls. Whether the net becomes better is another question, and only
sequences that it is not trained on can answer it. ``TrainingDisplay`` draws both, and what the gradients did meanwhile.
"""

# %%
# A net with part of the data held out
# ------------------------------------
# Nine speakers say two vowels, 270 utterances. ``early_stopping=True`` holds some of them out, here 30 %, and looks at
# them after each epoch; with ``scoring=None`` it goes by the accuracy. When 20 epochs have brought no better one,
# training ends, and the net has the parameters of the best epoch. ``max_grad_norm`` is the limit for the length of the
# gradient of a batch: a longer one is scaled down to it.

import matplotlib.pyplot as plt

from skrnn import RNNClassifier
from skrnn.datasets import load_japanese_vowels
from skrnn.inspection import TrainingDisplay

X, y = load_japanese_vowels(subset="train", return_X_y=True)
X_test, y_test = load_japanese_vowels(subset="test", return_X_y=True)

net = RNNClassifier(
    32, cell="lstm", early_stopping=True, scoring=None, validation_fraction=0.3, n_iter_no_change=20, max_grad_norm=0.5,
    learning_rate_init=0.01, max_iter=60, random_state=0,
)
net.fit(X, y)
best = net.best_iter_ - 1
print(f"{net.n_iter_} epochs, best one {net.best_iter_}, accuracy on test utterances {net.score(X_test, y_test):.3f}")
print(f"Loss of epoch {net.best_iter_:>2}: training {net.loss_curve_[best]:.3f}, "
      f"validation {net.validation_loss_curve_[best]:.3f}")
print(f"Loss of epoch {net.n_iter_:>2}: training {net.loss_curve_[-1]:.3f}, "
      f"validation {net.validation_loss_curve_[-1]:.3f}")

# %%
# What to see
# -----------
# In the first epochs both losses fall. Then the training loss goes on alone, to a hundredth of the other: the net
# learns its utterances by heart, which hardly helps with those held out. The dotted line is where the accuracy on these
# was best for the first time, and what the net has kept.
#
# The two panels below belong together. In the beginning gradients are longer than the limit, and all updates are
# clipped; once the net has found its way none are. Were many clipped to the end, the limit would be too low, or the
# learning rate too high.

display = TrainingDisplay.from_estimator(net)
display.axes_[0].set_title("An LSTM learns who is speaking")

# %%
# What to change
# --------------
# ``scoring="loss"``, the default, goes by the validation loss, which says more than the accuracy of 81 utterances: here
# it falls a little again later. ``alpha`` and ``dropout`` keep a net from learning by heart.
# ``TrainingDisplay.from_estimator(other, ax=display.axes_)`` draws a second training into the same panels.

plt.show()
