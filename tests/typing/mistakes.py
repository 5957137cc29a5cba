"""Mistakes that mypy has to find, each in the line that says so: where it does not, the comment is unused, an error."""

import numpy as np

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor, RNNSurvival
from skrnn.forecasting import ForecastWindows
from skrnn.inspection import TrainingDisplay
from skrnn.preprocessing import SequenceImputer

X, y = np.zeros((4, 3, 2)), np.arange(4)

RNNClassifier(cell="transformer")           # type: ignore[arg-type]
RNNClassifier(learning_rate=0.01)           # type: ignore[arg-type]
RNNClassifier(hidden_sizes=8)               # type: ignore[call-arg]
RNNClassifier(8, "lstm")                    # type: ignore[call-arg]
RNNClassifier(loss="squared_error")         # type: ignore[call-arg]
RNNRegressor(loss="mse")                    # type: ignore[arg-type]
RNNSurvival(return_sequences=True)          # type: ignore[call-arg]
RNNLanguageModel(solver="lbfgs")            # type: ignore[arg-type]
SequenceImputer("mode")                     # type: ignore[arg-type]
ForecastWindows(24, target="y")             # type: ignore[call-arg]
TrainingDisplay(loss=[1.0], titel="fit")    # type: ignore[call-arg]

net = RNNRegressor().fit(X, y)
net.fit(X)                                  # type: ignore[call-arg]
net.fit(X, y, weights=y)                    # type: ignore[call-arg]
net.fit(iter(X), y)                         # type: ignore[arg-type]
net.predict(X, return_states=True)          # type: ignore[call-overload]
mean, std = net.predict(X)[0], net.predict(X, return_std=True)[2]       # type: ignore[misc]
shape = net.predict(X, return_state=True).shape         # type: ignore[attr-defined]
loss = net.loss_curve_.mean()               # type: ignore[attr-defined]
