"""permutation_importance: by how much a score falls when sequences exchange features, steps, or groups of these."""

from collections.abc import Mapping
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch, check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.random import sample_without_replacement

from skrnn._data.containers import check_type
from skrnn._data.numbers import is_sized
from skrnn._data.transport import joined, n_bytes, separated
from skrnn._data.with_static import WithStatic, n_rows
from skrnn._messages import kind_of, shown
from skrnn._sklearn import HasMethods, Interval, RealNotInt, StrOptions, select, validate_params
from skrnn.inspection._exchange import ALIGN, exchanged_rows, exchanged_times, step_numbers
from skrnn.inspection._exchangeable import exchangeable, select_in_memory

KINDS = ("features", "steps")


@validate_params(
    {
        "estimator": [HasMethods(["fit"])], "by": [StrOptions({"feature", "step"})], "groups": [dict, None],
        "align": [StrOptions(set(ALIGN))], "n_repeats": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None], "random_state": ["random_state"],
        "max_samples": [Interval(Integral, 1, None, closed="left"), Interval(RealNotInt, 0, 1, closed="right")],
    },
    prefer_skip_nested_validation=False,
)
def permutation_importance(
    estimator, X, y, *, by="feature", groups=None, align="end", scoring=None, n_repeats=5, n_jobs=None,
    random_state=None, sample_weight=None, max_samples=1.0,
):
    """By how much the score falls when sequences exchange a feature, a step, or a group of these.

    What is exchanged still has its own values, but no longer belongs to y. As
    :func:`sklearn.inspection.permutation_importance` does it for the columns of a table, for sequences in any
    container: also of different lengths, with static features, with categories, and for texts.

    Parameters
    ----------
    estimator : estimator
        Fitted, of skrnn or not: any that takes X, also a Pipeline or a search.
    X : array-like of shape (n, columns) or (n, steps, features), or a collection of n sequences
        As `estimator` takes it; better what it was not fitted to. It is read into memory, as far as `max_samples` needs
        it. Of a 2-D table each column is a feature, as in scikit-learn.
    y : array-like or None
        Targets, as `scoring` takes them.
    by : {"feature", "step"}, default="feature"
        What is exchanged: the whole series of a feature, or a static feature; or one step with all its features.
    groups : dict, default=None
        For each name what is exchanged together, instead of single features or steps: an index, a slice, a list of
        these, and for features also names; or for features at some steps alone a dict with "features" and "steps", of
        which one may be left out for all of them. Steps are numbered as in the result.
    align : {"end", "start"}, default="end"
        From where steps of sequences of different lengths are counted: which steps are the same one.
    scoring : str, callable, list, tuple or dict, default=None
        As in scikit-learn; None for the estimator's ``score``. For targets of steps also
        :func:`~skrnn.make_sequence_scorer`.
    n_repeats : int, default=5
        Number of times that each is exchanged.
    n_jobs : int, default=None
        Number of features, steps or groups at a time. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Source of the permutations, the same ones for each feature, step or group.
    sample_weight : array-like of shape (n,), default=None
        Weights for the score.
    max_samples : int or float, default=1.0
        Number, or fraction, of sequences to use, drawn at random.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`, or for several scores a dict with one for each
        Dictionary-like object with the attributes

        importances_mean : array of shape (m,)
            The mean fall of the score of each feature, step or group. Steps are in order: with ``align="end"`` the
            last one is that of the last steps of all sequences, with "start" the first one that of the first steps.
        importances_std : array of shape (m,)
            The deviation over the repeats.
        importances : array of shape (m, n_repeats)
            The fall in each repeat.
        names : list of m str or int
            Names of the features, or their indices; of steps −m to −1 or, with ``align="start"``, 0 to m − 1; of
            groups.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not as above, or a group has what X has not, naming it, before any score. What the estimator
        raises for exchanged values has a note that says which these were.

    See Also
    --------
    sklearn.inspection.permutation_importance : For tables.

    Notes
    -----
    Sequence i gets the values of sequence π(i), step by step from the end, or the start. Where that one is shorter, the
    steps that it lacks come from π(π(i)), and so on. So lengths stay as they are, and at each step exactly the values
    of the sequences that have this step are permuted among them. Padding, that is steps at the ends of the sequences of
    a 3-D X that are NaN in every feature, stays where it is. What the length itself tells is in no importance. Of the
    feature that is `times` of a net the times since the step before are exchanged, so that times stay in order.

    For a table, and for one step, the result is that of scikit-learn, number by number, but for `max_samples`: the
    score that falls is that of the sequences in use, so that a feature without importance has 0 there, too.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import permutation_importance
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(length, 2)) for length in rng.integers(5, 9, size=200)]
    >>> y = np.array([x[-1, 0] for x in X])         # of the first feature, at the last step
    >>> net = RNNRegressor(4, max_iter=60, random_state=0).fit(X, y)
    >>> result = permutation_importance(net, X, y, random_state=0)
    >>> [round(mean, 1) for mean in abs(result.importances_mean).tolist()]
    [1.8, 0.0]
    >>> result = permutation_importance(net, X, y, by="step", random_state=0)
    >>> [round(mean, 1) for mean in abs(result.importances_mean).tolist()]
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.7]
    >>> groups = {"noise at the end": {"features": 1, "steps": -1}, "before": {"steps": slice(-1)}}
    >>> result = permutation_importance(net, X, y, groups=groups, random_state=0)
    >>> dict(zip(result.names, abs(result.importances_mean).round(1).tolist()))
    {'noise at the end': 0.0, 'before': 0.0}
    """
    if isinstance(estimator, type):
        raise TypeError(f"estimator is {kind_of(estimator)}, expected a fitted estimator, an instance of it")
    check_type(X.sequences if isinstance(X, WithStatic) else X)
    n = n_rows(X)
    n_used = max_samples if isinstance(max_samples, Integral) else min(n, max(1, int(max_samples * n)))
    if n_used > n:
        raise ValueError(f"max_samples={max_samples}: X has {n} sequences, expected at most as many")
    random_state = check_random_state(check_random_state(random_state).randint(np.iinfo(np.int32).max + 1))
    rows = sample_without_replacement(n, n_used, random_state=random_state) if n_used < n else None
    X = select_in_memory(X, rows)
    if rows is not None:
        y, sample_weight = (None if each is None else select(each, rows) for each in (y, sample_weight))
    values = exchangeable(X)
    exchanges = _exchanges(by, groups, values, align)
    times = _feature_of_times(estimator, values)
    score = Score(check_scoring(estimator, scoring=scoring), estimator, y, sample_weight)
    expected = score(X)
    orders = _orders(n_used, n_repeats, random_state)
    scores = Parallel(n_jobs=n_jobs)(
        delayed(_scores_without)(score, values, exchange, orders, align, times) for exchange in exchanges
    )
    names = [exchange.name for exchange in exchanges]
    if isinstance(expected, dict):
        return {
            key: _result(value, [[repeat[key] for repeat in repeats] for repeats in scores], names)
            for key, value in expected.items()
        }
    return _result(expected, scores, names)


class Exchange(NamedTuple):
    """What is exchanged together: features, at some of the steps or, with None, at all of them."""

    name: object
    features: list
    steps: list | None


class Score:
    """The score of an estimator on any X; y that is a list of arrays, as targets of steps, is kept as one array."""

    def __init__(self, scorer, estimator, y, sample_weight):
        self._scorer, self._estimator = scorer, estimator
        self._y, self._container = joined(y)
        self._weights = {} if sample_weight is None else {"sample_weight": sample_weight}

    def __call__(self, X):
        return self._scorer(self._estimator, X, separated(self._y, self._container), **self._weights)

    def __sizeof__(self):
        return object.__sizeof__(self) + n_bytes(self._y) + sum(map(n_bytes, self._weights.values()))


def _orders(n, n_repeats, random_state):
    """Permutations of n sequences, each a shuffle of the one before as in scikit-learn."""
    shuffle, order, orders = np.arange(n), np.arange(n), []
    for _ in range(n_repeats):
        random_state.shuffle(shuffle)
        order = order[shuffle]
        orders.append(order)
    return orders


def _feature_of_times(estimator, values):
    """Which feature of X is the time of steps by the parameter `times` of the net, or None."""
    of_steps = [j for j, is_static in enumerate(values.is_static) if not is_static]
    for name, value in getattr(estimator, "get_params", dict)().items():
        if name.rpartition("__")[2] == "times" and value is not None:
            named = [j for j in of_steps if values.names[j] == value]
            if isinstance(value, str) and named:
                return named[0]
            if name in ("times", "estimator__times") and isinstance(value, Integral):    # the net's X is this one
                return of_steps[value]
    return None


def _scores_without(score, values, exchange, orders, align, times):
    """The scores without what features at steps say, for each of some permutations of the sequences."""
    affected, scores = None, []
    if exchange.steps is not None:
        affected = np.isin(step_numbers(values.lengths, align), exchange.steps)
    for order in orders:
        try:
            scores.append(score(values.replace(_columns(values, exchange.features, order, affected, align, times))))
        except (TypeError, ValueError) as error:
            error.add_note(
                f"with other values in {exchange.name!r}, which sequences have exchanged: if these make no sequence "
                "that the estimator takes, choose others by groups"
            )
            raise
    return scores


def _columns(values, features, order, affected, align, times):
    """The values of features after an exchange, as `replace` takes them.

    Parameters
    ----------
    values : exchangeable
    features : list of int
    order : (n,) int array
        Whose values each sequence gets.
    affected : (total,) bool array, or None
        At which steps; None for all.
    align : {"end", "start"}
    times : int or None
        The feature of the times.
    """
    columns = {j: values.take(j, order) for j in features if values.is_static[j]}
    if len(columns) < len(features):
        rows = exchanged_rows(order, values.lengths, align)
        rows = rows if affected is None else np.where(affected, rows, np.arange(len(rows)))
        columns |= {j: values.take(j, rows) for j in features if j not in columns}
        if times in columns:
            columns[times] = exchanged_times(values.take(times, np.arange(len(rows))), rows, values.lengths)
    return columns


def _result(expected, scores, names):
    """The Bunch of a score and the scores (m, n_repeats) after exchanges."""
    importances = expected - np.array(scores)
    return Bunch(
        importances_mean=np.mean(importances, axis=1), importances_std=np.std(importances, axis=1),
        importances=importances, names=names,
    )


def _exchanges(by, groups, values, align):
    """What is exchanged, one after the other."""
    n_steps = 0 if values.lengths is None else int(values.lengths.max())
    of_steps = [j for j, is_static in enumerate(values.is_static) if not is_static]
    if groups is not None:
        if not groups:
            raise ValueError("groups is empty, expected a dict with at least one group")
        return [_group(name, group, by, values, n_steps, of_steps) for name, group in groups.items()]
    if by == "feature":
        return [Exchange(name, [j], None) for j, name in enumerate(values.names)]
    _check_steps(n_steps, "by='step'")
    first = -n_steps if align == "end" else 0
    return [Exchange(first + t, of_steps, [t]) for t in range(n_steps)]


def _check_steps(n_steps, what):
    if not n_steps:
        raise ValueError(
            f"{what}: X is a table, each of whose columns is a feature; expected sequences of steps, "
            "X.reshape(n, steps, features), or columns that belong to a step as groups of features"
        )


def _group(name, group, by, values, n_steps, of_steps):
    where = f"groups[{name!r}]"
    group = group if isinstance(group, Mapping) else {f"{by}s": group}
    if not group or not group.keys() <= set(KINDS):
        raise ValueError(f"{where} has the keys {list(group)}, expected 'features', 'steps', or both")
    steps = None
    if "steps" in group:
        _check_steps(n_steps, f"{where} has steps")
        steps = _indices(group["steps"], n_steps, (), f"{where}: X has no step", where)
    if "features" not in group:
        return Exchange(name, of_steps, steps)
    names = values.names
    features = _indices(group["features"], len(names), names, f"{where}: X has no feature", where)
    static = [names[j] for j in features if values.is_static[j]]
    if steps is not None and static:
        raise ValueError(f"{where} has steps, but {static} are static features: expected features of steps")
    return Exchange(name, features, steps)


def _indices(chosen, n, names, absent, where):
    """Indices from 0, in order and each once, of an index, a name, a slice, or a list of these."""
    found = set()
    for item in chosen if is_sized(chosen) else [chosen]:
        if isinstance(item, slice):
            found.update(range(n)[item])
        elif isinstance(item, str) and item in names:
            found.add(names.index(item))
        elif isinstance(item, str):
            raise ValueError(f"{absent} {item!r}, expected {'one of ' + str(names) if names else 'an index'}")
        elif not isinstance(item, Integral) or isinstance(item, bool | np.bool_):
            raise TypeError(f"{where} has {shown(item)}, expected an index, a name, a slice, or a list of these")
        elif not -n <= item < n:
            raise ValueError(f"{absent} {item}, expected an index from {-n} to {n - 1}")
        else:
            found.add(int(item) % n)
    if not found:
        raise ValueError(f"{where} is {shown(chosen)}, which is nothing: expected at least one of {n}")
    return sorted(found)
