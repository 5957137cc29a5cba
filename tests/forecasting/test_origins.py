"""The splitter over origins: which windows are trained on and tested, in scikit-learn's searches as well."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn.forecasting import ForecastWindows, RollingOrigin, WindowTable


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("step", [None, 1, 2])
@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("max_train_size", [None, 4])
def test_training_windows_end_before_the_origin(horizon, step, gap, max_train_size):
    positions = np.concatenate([np.arange(30), np.arange(12, 30), [2, 29]])
    splitter = RollingOrigin(4, horizon=horizon, step=step, gap=gap, max_train_size=max_train_size)
    splits = list(splitter.split(positions, groups=positions))
    assert len(splits) == splitter.get_n_splits() == 4
    for k, (train, test) in enumerate(splits):
        origin = 29 - (3 - k) * (step or horizon)
        assert test.tolist() == [i for i, position in enumerate(positions) if position == origin]
        last = origin - gap - horizon
        assert train.tolist() == [
            i for i, position in enumerate(positions)
            if position <= last and (max_train_size is None or position > last - max_train_size)
        ]


def test_of_rows_it_is_a_time_series_split():
    rows = np.zeros((20, 1))
    ours = RollingOrigin(5, max_train_size=7).split(rows)
    theirs = TimeSeriesSplit(5, test_size=1, max_train_size=7).split(rows)
    for (train, test), (their_train, their_test) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, their_test)


def test_in_a_search():
    windows = ForecastWindows(4, 2, 0)
    data = windows.make(np.sin(np.arange(60.0)))
    cv = RollingOrigin(3, horizon=2)
    model = make_pipeline(WindowTable(), Ridge())
    search = GridSearchCV(model, {"windowtable__lags": [[1], [1, 2, 3]]}, cv=cv, scoring="neg_mean_squared_error")
    search.fit(data.X, data.y, groups=data.origins)
    assert search.best_params_ == {"windowtable__lags": [1, 2, 3]}
    scores = cross_val_score(model, data.X, data.y, cv=cv, groups=data.origins, scoring="neg_mean_squared_error")
    assert len(scores) == 3


@pytest.mark.parametrize(("parameters", "groups", "message"), [
    ({"n_origins": 0}, None, "The 'n_origins' parameter of RollingOrigin"),
    ({"gap": -1}, None, "The 'gap' parameter"),
    ({"n_origins": 20}, None, "no window has the origin -10"),
    ({"n_origins": 10}, None, "no window ends before the first"),
    ({"horizon": 5}, None, "do not fit into 10 windows with origins 0 to 9"),
    ({"n_origins": 2, "step": 3}, [0, 1, 2, 3, 4, 5, 7, 7, 8, 9], "no window has the origin 6"),
    ({}, [0.5] * 10, "expected the origin of each of the 10 windows as a whole number"),
    ({}, [1, 2], r"groups has shape \(2,\)"),
])
def test_what_does_not_fit_is_named(parameters, groups, message):
    with pytest.raises(ValueError, match=message):
        next(RollingOrigin(**parameters).split(np.zeros(10), groups=groups))
