"""What a fitted search of scikit-learn has found: its candidates, their parameters, and what their scores are."""

from collections import defaultdict

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import check_is_fitted

from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.regressor import RNNRegressor
from skrnn._estimators.survival import RNNSurvival
from skrnn._messages import kind_of, shown
from skrnn._sklearn import name_of_scorer
from skrnn.forecasting import ConformalForecaster
from skrnn.inspection._nets import innermost
from skrnn.inspection._parameter_axis import Axis, in_words

# What a halving search gives more of in each round
RESOURCES = "n_resources"


class NotSet:
    """In the place of a parameter that a candidate does not have."""

    def __repr__(self):
        return "not set"


NOT_SET = NotSet()


class Candidates:
    """The rows of a search's results and their parameters.

    Parameters
    ----------
    params : list of dict
        ``cv_results_["params"]``.
    resources : array of shape (n,), optional
        ``cv_results_["n_resources"]`` of a halving search, which is one parameter more.
    """

    def __init__(self, params, resources=None):
        self.halving = resources is not None
        self.params = params
        self.rows = [dict(each) for each in params]
        if self.halving:
            for row, resource in zip(self.rows, resources, strict=True):
                row[RESOURCES] = int(resource)
        self.names = list(dict.fromkeys(name for row in self.rows for name in row))

    def values(self, name, rows):
        """The values of a parameter in some rows."""
        return [self.rows[i].get(name, NOT_SET) for i in rows]

    def n_values(self, name):
        """How many different values of a parameter there are."""
        return len({in_words(value) for value in self.values(name, range(len(self.rows)))})

    def choose(self, x, hue):
        """The names of the parameters that `from_estimator` was asked for; None for no hue."""
        searched = [name for name in self.names if name != RESOURCES and self.n_values(name) > 1]
        if x == "auto":
            sizes = [name for name in searched if short_name(name) == "hidden_size"]
            x = next(iter([*sizes, *filter(self._is_number, searched), *searched, *self.names]), None)
            if x is None:
                raise ValueError("search has no parameters in its results, so that there is nothing to draw over")
        else:
            x = self.find(x, "x")
        if hue == "auto":
            others = [name for name in searched if name != x]
            if self.halving and x != RESOURCES:
                return x, RESOURCES
            return x, others[0] if len(others) == 1 else None
        hue = None if hue is None else self.find(hue, "hue")
        if hue == x:
            raise ValueError(f"x and hue are both {x!r}: expected different parameters")
        return x, hue

    def find(self, wanted, argument):
        """The parameter that has this name, or ends with it."""
        if wanted in self.names:
            return wanted
        found = [name for name in self.names if name.endswith(f"__{wanted}")]
        if len(found) != 1:
            which = f"is the end of {found}" if found else f"is none of the search, which has {sorted(self.names)}"
            raise ValueError(f"{argument}={shown(wanted)} {which}: expected the name of one of them, or its end")
        return found[0]

    def _is_number(self, name):
        return Axis.of(self.values(name, range(len(self.rows)))).labels is None

    def rows_with(self, x, hue):
        """The rows that have the parameter x; of a halving search that is not drawn by rounds the last of each."""
        rows = [i for i, row in enumerate(self.rows) if x in row]
        if self.halving and RESOURCES not in (x, hue):
            last = {_key(self.params[i]): i for i in rows}      # the rounds are in order
            rows = sorted(last.values())
        return np.array(rows)

    def differ_in_nothing_else(self, x, hue, rows):
        """Whether candidates of one hue have at each value of x the same values of all other parameters."""
        others = defaultdict(lambda: defaultdict(set))
        for i in rows:
            row = dict(self.rows[i])
            value, of_hue = row.pop(x), in_words(row.pop(hue, NOT_SET))
            others[of_hue][in_words(value)].add(_key(row))
        return all(len(set(map(frozenset, of_values.values()))) == 1 for of_values in others.values())


def _key(params):
    return tuple(sorted((name, in_words(value)) for name, value in params.items()))


def short_name(name, search=None):
    """The end of a parameter's name; of the resource of a halving search what that is."""
    return search.resource if name == RESOURCES and search is not None else name.rpartition("__")[2]


def results_of(search):
    """The results of a fitted search."""
    if not hasattr(search, "refit") and not hasattr(search, "cv_results_"):
        raise TypeError(f"search is {kind_of(search)}, expected a fitted search of scikit-learn, with cv_results_")
    check_is_fitted(search, "cv_results_")
    return search.cv_results_


def metric_of(search, results, metric):
    """The name that the scores have in the results."""
    there = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
    if metric is None:
        metric = search.refit if len(there) > 1 else there[0]
    if not isinstance(metric, str) or metric not in there:
        raise ValueError(f"metric={shown(metric)}: the search has the scores {there}, expected one of them")
    return metric


def chosen_row(search, rows):
    """The place among rows of the candidate that the search chose, or None."""
    found = np.flatnonzero(rows == getattr(search, "best_index_", -1))
    return int(found[0]) if len(found) else None


def name_of_score(search, metric, negate):
    """What the scores are, in words."""
    if metric != "score":
        name = name_of_scorer(metric)
    else:
        name = _name_of_own_score(search.estimator) if search.scoring is None else name_of_scorer(search.scoring)
    if not negate:
        return name
    return name.removeprefix("negative ") if name.startswith("negative ") else f"negative {name}"


def _name_of_own_score(estimator):
    """What the method `score` of an estimator returns."""
    estimator = innermost(estimator)
    if isinstance(estimator, RNNClassifier) or is_classifier(estimator):
        return "accuracy"
    if isinstance(estimator, RNNSurvival):
        return "concordance index"
    of_quantiles = isinstance(estimator, RNNRegressor) and estimator.loss == "quantile" and np.ndim(estimator.quantile)
    if of_quantiles or isinstance(estimator, ConformalForecaster):
        return "D²"
    return "R²" if is_regressor(estimator) else "score"
