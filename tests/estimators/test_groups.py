"""groups: early stopping holds out whole groups, as much of each class as they allow."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor
from skrnn._estimators.groups import hold_out_groups
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4, 1))
Y = X.sum(axis=(1, 2))
GROUPS = np.arange(40) // 4
NET = {"hidden_size": 2, "max_iter": 1, "early_stopping": True, "validation_fraction": 0.2, "random_state": 0}


def parts(groups, strata=None, fraction=0.1, at_least=1, seed=0):
    """What is trained on, and what is held out, which have no group in common."""
    groups = np.asarray(groups)
    used, held_out = hold_out_groups(
        np.arange(len(groups)), groups, strata, fraction, at_least, np.random.RandomState(seed)
    )
    assert not set(groups[used]) & set(groups[held_out])
    assert sorted([*used, *held_out]) == list(range(len(groups)))
    return used, held_out


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("strata", [None, np.arange(400) % 40 < 3], ids=["numbers", "labels"])
@pytest.mark.parametrize("groups", [
    np.arange(400) // 4, np.arange(400), np.r_[np.zeros(240, int), np.arange(160) // 4 + 1],
    np.random.default_rng(0).permutation(400) % 57,
], ids=["alike", "of one", "one of most", "mixed"])
def test_the_held_out_part_has_its_fraction_of_each_class(groups, strata, seed):
    _, held_out = parts(groups, strata, seed=seed)
    assert abs(len(held_out) - 40) <= 2
    if strata is not None:
        assert abs(strata[held_out].sum() - 3) <= 1


def test_another_seed_holds_out_others():
    first, second = (parts(GROUPS, fraction=0.3, seed=seed)[1].tolist() for seed in (0, 1))
    assert first != second
    assert first == parts(GROUPS, fraction=0.3)[1].tolist()


@pytest.mark.parametrize("seed", range(5))
def test_what_groups_do_not_allow(seed):
    # the only group of a class is trained on
    strata = np.repeat(["a", "b", "c"], [18, 18, 4])
    used, held_out = parts(GROUPS, strata, 0.2, seed=seed)
    assert set(strata[used]) == {"a", "b", "c"}
    assert set(strata[held_out]) == {"a", "b"}
    # a class of two groups is in both parts, although that is half of it
    strata = np.isin(GROUPS, [3, 7])
    used, held_out = parts(GROUPS, strata, seed=seed)
    assert strata[used].any()
    assert strata[held_out].any()
    # the smaller one of two
    assert len(parts(np.repeat([0, 1], [30, 10]), seed=seed)[1]) == 10
    # as many as a score needs
    assert len(parts(np.r_[np.zeros(30, int), 1:11], None, 0.01, 2, seed)[1]) == 2


@pytest.mark.parametrize("estimator", [RNNClassifier, RNNRegressor])
@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("form", [
    np.asarray, list, lambda g: [f"patient {i}" for i in g], lambda g: pd.Series(g, dtype="category"), pl.Series,
    lambda g: [("ward", int(i)) for i in g], lambda g: pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(g, "D")),
])
def test_a_fit_splits_no_group(estimator, per_step, form):
    """Each group has a value that no other has."""
    seen = {}

    def noted(X, y):
        seen["held out"] = {float(x[0, 0]) for x in X}
        return 0.0

    marked = np.broadcast_to(GROUPS[:, np.newaxis, np.newaxis], (40, 4, 1)).astype(float)
    y = Y[:, np.newaxis] + X[:, :, 0] if per_step else Y
    y = y > 0 if estimator is RNNClassifier else y
    net = estimator(**NET, return_sequences=per_step, scoring=lambda net, X, y: noted(X, y))
    net.fit(marked, y, groups=form(GROUPS))
    held_out = seen["held out"]
    assert 1 <= len(held_out) <= 3
    assert net.t_ == 40 - 4 * len(held_out)


def test_weights_of_zero_are_absent_in_groups():
    weights = np.where(GROUPS == 5, 0.0, 1.0)
    net = RNNRegressor(**NET).fit(X, Y, weights, groups=GROUPS)
    keep = GROUPS != 5
    again = RNNRegressor(**NET).fit(X[keep], Y[keep], np.ones(36), groups=GROUPS[keep])
    assert net.predict(X).tobytes() == again.predict(X).tobytes()


@pytest.mark.parametrize(("groups", "error", "message"), [
    (GROUPS[:39], ValueError, "groups has 39 entries, expected 40"),
    ("patient", TypeError, "groups is 'patient', expected the group of each of the 40 sequences"),
    (3, TypeError, "groups is 3"),
    ([*range(39), None], ValueError, r"groups\[39\] is missing"),
    (np.where(GROUPS == 2, np.nan, GROUPS), ValueError, r"groups\[8\] is missing"),
    (GROUPS[:, np.newaxis], TypeError, r"groups\[0\] is \[0\], expected one label"),
])
@pytest.mark.parametrize("early_stopping", [True, False])
def test_what_are_no_groups(groups, error, message, early_stopping):
    """Also where nothing is held out."""
    net = RNNRegressor(**NET | {"early_stopping": early_stopping})
    with pytest.raises(error, match=message):
        net.fit(X, Y, groups=groups)
    assert not hasattr(net, "n_iter_")


def test_groups_that_cannot_be_held_out():
    net = RNNRegressor(**NET)
    with pytest.raises(ValueError, match="cannot hold out a part of one group"):
        net.fit(X, Y, groups=np.zeros(40))
    with pytest.raises(ValueError, match="cannot hold out a part of one group"):
        net.fit(X, Y, (GROUPS == 1).astype(float), groups=GROUPS)
    with pytest.raises(ValueError, match="cannot hold out any of 2 groups: each is the only one with some class"):
        RNNClassifier(**NET).fit(X, GROUPS > 4, groups=GROUPS > 4)
    # where nothing of X is held out, no group is split
    assert net.fit(X, Y, X_val=X, y_val=Y, groups=np.zeros(40)).t_ == 40
    plain = clone(net).set_params(early_stopping=False)
    assert plain.fit(X, Y, groups=np.zeros(40)).loss_ == clone(plain).fit(X, Y).loss_


def test_searches_route_groups():
    """To the splitter and to nets with and without early stopping."""
    with sklearn.config_context(enable_metadata_routing=True):
        net = RNNRegressor(**NET).set_fit_request(groups=True)
        search = GridSearchCV(net, {"early_stopping": [True, False]}, cv=GroupKFold(2), error_score="raise")
        search.fit(X, Y, groups=GROUPS)
        pipe = make_pipeline(SequenceScaler(), net)
        scores = cross_val_score(pipe, X, Y, cv=GroupKFold(2), params={"groups": GROUPS}, error_score="raise")
        assert np.isfinite(scores).all()
        pipe.fit(X, Y, groups=GROUPS)
        with pytest.raises(ValueError, match="cannot hold out a part of one group"):
            pipe.fit(X, Y, groups=np.zeros(40))
