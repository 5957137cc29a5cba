"""
Choosing how far to look back
=============================

Carbon dioxide in the air over Mauna Loa, week by week from 1958 to 2001: how much will it change within four weeks? A
net that is to say so reads some weeks before. How many? That is a parameter as any other: ``SlidingWindow`` cuts the
windows inside of a Pipeline, so that a search tries their length together with the size of the net.
"""

# %%
# A row a week
# ------------
# X is a table with one column, the change since the week before; y is the change within the four weeks to come. The
# levels themselves would be of little use: they rise from year to year, and a net does not continue beyond the levels
# that it was trained on.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor
from skrnn.datasets import load_co2
from skrnn.inspection import SearchDisplay
from skrnn.preprocessing import SlidingWindow

AHEAD = 4               # weeks
TEST = 400              # the last weeks, which the search does not see

co2 = load_co2().co2
X = np.diff(co2)[:-AHEAD, np.newaxis].astype(np.float32)
y = (co2[AHEAD:] - co2[:-AHEAD])[1:]

# %%
# Some weeks were not measured. As inputs they stay in the windows as NaN, and ``missing="indicator"`` lets the net
# carry the last value forward and know that it did. Weeks whose target is missing cannot be trained on and are left
# out, so that some windows of the training skip a week.

labelled = ~np.isnan(y)
train = np.arange(len(y)) < len(y) - TEST - AHEAD       # the last target of training lies before the first test week
test = np.arange(len(y)) >= len(y) - TEST
print(f"{len(y)} weeks; {np.isnan(X).sum()} without a value, {(~labelled).sum()} without a target")

# %%
# The search
# ----------
# ``TimeSeriesSplit`` validates each candidate on weeks after those that it was fitted to, as it will be used. The gap
# keeps targets of the training weeks out of the weeks to validate on: a target reaches four weeks ahead.

warnings.simplefilter("ignore", ConvergenceWarning)     # 10 epochs are part of the plan
model = make_pipeline(SlidingWindow(), RNNRegressor(missing="indicator", max_iter=10, random_state=0))
grid = {"slidingwindow__window": [1, 4, 13, 26, 52], "rnnregressor__hidden_size": [4, 16]}
folds = TimeSeriesSplit(3, gap=AHEAD)
search = GridSearchCV(model, grid, cv=folds, scoring="neg_root_mean_squared_error")
search.fit(X[train & labelled], y[train & labelled])

results = search.cv_results_
print(f"\n{'window':>6} {'units':>6} {'RMSE, ppm':>10} {'±':>6}")
for i in np.argsort(results["rank_test_score"], kind="stable"):
    print(
        f"{results['param_slidingwindow__window'][i]:>6} {results['param_rnnregressor__hidden_size'][i]:>6} "
        f"{-results['mean_test_score'][i]:>10.3f} {results['std_test_score'][i]:>6.3f}"
    )

# %%
# A net of 16 units gains from every week up to a whole year, in which the plants of the north breathe once in and out.
# One of 4 units has too little memory for it: more than half a year makes it worse again. The two parameters have to be
# searched together. Below stands what it costs: a fit takes longer, the longer the window.

display = SearchDisplay.from_estimator(
    search, x="window", hue="hidden_size", negate_score=True, score_name="error (RMSE), ppm"
)
display.figure_.set_size_inches(9, 5)
display.axes_[0].set_title(f"How far to look back: carbon dioxide {AHEAD} weeks ahead")
display.axes_[1].set_xlabel("window, weeks")

# %%
# The last years
# --------------
# Now the weeks that the search has not seen. An error says little without others beside it: that of "nothing changes",
# and that of "as much as in the same weeks a year ago", which knows the seasons. ``predict`` gets all weeks, so that
# the windows of the first test weeks are whole.


def rmse(errors):
    """The root of the mean squared error, of what is known of it."""
    return np.sqrt(np.nanmean(errors**2))


year_before = np.append(np.full(52, np.nan), y[:-52])
errors = {
    f"net, {search.best_params_['slidingwindow__window']} weeks": rmse((search.predict(X) - y)[test]),
    "the change of the same weeks a year before": rmse((year_before - y)[test]),
    "no change": rmse(y[test]),
}
print(f"\nThe last {TEST} weeks, RMSE {AHEAD} weeks ahead:")
for name, error in errors.items():
    print(f"    {error:.3f} ppm  {name}")

# %%
# What to change
# --------------
# Windows of two years, other cells, ``context=True``, with which a table to predict follows the one of ``fit``. For
# forecasts of several weeks at once, with what is known ahead, there are ``ForecastWindows``: see
# ``plot_forecasting.py``.

plt.show()
