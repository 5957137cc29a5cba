"""
Why does the net say so of this patient?
========================================

A net reads two days of vital signs at uneven times, with gaps, beside the age and the ward of a patient, and says how
likely the patient is to die. Before anyone acts on that for one patient, one wants to know what it rests on. Three
answers stand side by side here: what the prediction would be without a measurement, what each measurement contributes,
and how much the prediction changes if a measurement does.
"""

# %%
# The patients
# ------------
# A long table with a row for each time at which something was measured becomes a frame with a row for each patient:
# columns of lists, and columns of what does not change. The hospital is left out.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from skrnn import RNNClassifier
from skrnn.datasets import make_patients
from skrnn.inspection import AttributionDisplay, input_gradients, integrated_gradients, occlusion
from skrnn.preprocessing import sequences_from_long

table = pd.DataFrame(make_patients(1000, random_state=0))
signs = ["heart_rate", "systolic_pressure", "oxygen_saturation", "temperature", "lactate"]
X, y, _ = sequences_from_long(
    table, "patient", "hour", features=["hour", *signs], target="died", static=["age", "ward"]
)
train, test = slice(0, 700), slice(700, None)
net = RNNClassifier(16, times="hour", missing="indicator", max_iter=15, random_state=0)
net.fit(X[train], y[train])
p = net.predict_proba(X[test])[:, 1]
print(f"Area under the ROC curve on patients that the net has not seen: {roc_auc_score(y[test], p):.2f}")

# %%
# One patient
# -----------
# The one with the highest risk of those that the net has not seen. ``baseline="mean"`` compares with a patient whose
# signs and age were the mean at all times, and whose ward the net does not know. Times, and what was not measured, stay
# as they are.

patient = X[test].iloc[[int(p.argmax())]]
without = occlusion(net, patient, baseline="mean")
parts, n_points = integrated_gradients(net, patient, baseline="mean", return_n_points=True)
slopes = input_gradients(net, patient)
of_steps = sum(np.sum(parts[name].iloc[0]) for name in signs)
of_age, of_ward = parts["age"].iloc[0], parts["ward"].iloc[0]
print(f"The risk is {p.max():.2f}, and {of_steps + of_age + of_ward:.2f} more than that of the mean patient:")
print(f"{of_steps:.2f} for the signs, {of_age:.2f} for the age, {of_ward:.2f} for the ward ({n_points[0]} points)")

# %%
# What each measurement contributes
# ---------------------------------
# Red raises the risk, blue lowers it. Attributions sum to what the patient has beyond the mean patient, so that signs,
# age and ward can be compared. White is what was not measured, or hardly
# matters.

display = AttributionDisplay.from_estimator(net, patient, baseline="mean")
display.axes_[0].set_title(f"A patient with a risk of {p.max():.2f}: what each measurement adds to it")
display.figure_.set_size_inches(8, 8)

# %%
# Three answers
# -------------
# Occlusion says what is lost without one value alone: where a sign was measured often, others say the same, and each by
# itself seems to matter little. Integrated gradients share the whole difference among all of them. Gradients say what a
# small change would do, not what the value has done: here for one standard deviation of each sign. Red is more risk,
# blue less; the first two pictures have one scale, the third one of its own.

scales = dict(zip(signs, net.X_scale_, strict=True))
answers = {
    "occlusion:\nwhat the risk loses without it": {name: np.sum(without[name].iloc[0]) for name in signs},
    "integrated gradients:\npart of the risk": {name: np.sum(parts[name].iloc[0]) for name in signs},
    "gradient:\nchange by a standard deviation": {name: np.sum(slopes[name].iloc[0]) * scales[name] for name in signs},
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
for ax, (name, answer) in zip(axes, answers.items(), strict=True):
    values = list(answer.values())
    colors = ["#b2182b" if value > 0 else "#2166ac" for value in values]
    ax.barh([sign.replace("_", " ") for sign in answer], values, color=colors)
    ax.axvline(0, color="0.4", linewidth=0.8)
    ax.set(title=name, xlabel="risk, sum over the steps")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].invert_yaxis()
axes[0].set_xlim(axes[1].get_xlim())

plt.show()
