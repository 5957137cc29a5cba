"""DaskRNNClassifier and DaskRNNRegressor, and what they share with other estimators that have a client."""

from copy import deepcopy
from functools import partial
from numbers import Integral

import distributed
import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from skrnn._data.numbers import is_positive_int
from skrnn._estimators.base import decoded
from skrnn._estimators.classifier import RNNClassifier
from skrnn._estimators.predictive import knows_density
from skrnn._estimators.regressor import RNNRegressor
from skrnn._estimators.sharded_fit import ShardedFitMixin
from skrnn._estimators.shared_parameters import Parameter, shared_init, with_parameters
from skrnn._messages import shown
from skrnn._sklearn import Interval, StrOptions, checks_parameters, clone_parametrized, set_settings, settings_of
from skrnn.dask._partitions import check_lengths, is_partitioned, partitions_of
from skrnn.dask._prediction import DaskPredictionMixin, check_no_states, drawn, lazily
from skrnn.dask._shards import shards_of

OF_CLUSTERS = {
    "client": Parameter(
        [distributed.Client, None], "distributed.Client or None",
        "Of the cluster that trains. None: the client of this process, in a task that of its worker; where there is "
        "none, everything is computed in this process, with the same bits. Clones have the same client; pickles and "
        "`get_params` leave it out.",
    ),
    "n_shards": Parameter(
        [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})], 'int or "auto"',
        "In how many parts X is trained on, neighbouring partitions together, each of which has its share of every "
        "batch. The result depends on it, and not on the workers; 1 gives the bits of one process. "
        '"auto": as many as X has partitions, at most 64.',
    ),
}


class DaskEstimatorMixin:
    """An estimator with a client, which says where it computes and is no part of what it is.

    A subclass names ``_local_type``, the estimator of one process, which has all of its parameters but the client and
    the number of shards.
    """

    def get_params(self, deep=True):
        """Parameters by name, without the client.

        Parameters
        ----------
        deep : bool, default=True
            There are no estimators among the parameters: it makes no difference.

        Returns
        -------
        params : dict

        Raises
        ------
        Nothing.

        Examples
        --------
        >>> from skrnn.dask import DaskRNNClassifier
        >>> params = DaskRNNClassifier(n_shards=4).get_params()
        >>> params["n_shards"], "client" in params
        (4, False)
        """
        params = super().get_params(deep)
        del params["client"]
        return params

    def set_params(self, **params):
        """Set parameters by name.

        Parameters
        ----------
        **params
            Also the client.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            For a name that is no parameter.

        Examples
        --------
        >>> from skrnn.dask import DaskRNNClassifier
        >>> DaskRNNClassifier().set_params(client=None, n_shards=4).n_shards
        4
        """
        client = params.pop("client", self.client)
        super().set_params(**params)
        self.client = client
        return self

    def to_local(self):
        """The estimator of one process, with what this one has learned.

        It predicts with the same bits, goes on with `partial_fit`, and is what :func:`skrnn.save` saves.

        Returns
        -------
        estimator : object

        Raises
        ------
        Nothing.

        Examples
        --------
        >>> from skrnn.dask import DaskRNNClassifier
        >>> DaskRNNClassifier(16, cell="lstm", n_shards=4).to_local()
        RNNClassifier(cell='lstm', hidden_size=16)
        """
        local = self._local_type.__new__(self._local_type)
        settings = settings_of(self)
        others = vars(self).keys() - OF_CLUSTERS.keys() - settings.keys()
        vars(local).update({name: value for name, value in vars(self).items() if name in others})
        set_settings(local, deepcopy(settings))
        return local

    def __sklearn_clone__(self):
        cloned = clone_parametrized(self)
        cloned.client = self.client
        return cloned

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}

    def __deepcopy__(self, memo):
        memo[id(self.client)] = self.client
        return super().__deepcopy__(memo)


class DaskNetMixin(DaskEstimatorMixin, DaskPredictionMixin, ShardedFitMixin):
    """What the classifier and the regressor share."""

    @property
    def partial_fit(self):
        """There is none: what `to_local` returns has it, for sequences in memory."""
        raise AttributeError(f"{type(self).__name__} has no partial_fit: use to_local().partial_fit, of X in memory")

    @checks_parameters
    def fit(self, X, y, sample_weight=None, X_val=None, y_val=None, groups=None):
        """Fit the network to sequences in partitions.

        X stays on the workers; everything else is gathered, if it is not in memory, and held by this process.

        Parameters
        ----------
        X : Dask DataFrame, Series, Array or Bag, or list of Delayed
            Each partition is an X as :meth:`skrnn.RNNClassifier.fit` takes it: frames with columns of lists, 2-D and
            3-D arrays, and as parts of a list whatever holds sequences. Those of a Dask Array may have any sizes.
        y : as X, or array-like in memory
            Targets, as one process takes them, sequence for sequence in the order of X.
        sample_weight : as y, optional
            Weights of the samples; the loss is divided by their sum.
        X_val, y_val : like X and y, or in memory, optional
            For `early_stopping`: what to validate on, in the place of a part of X and y.
        groups : as y, optional
            Labels of the groups that sequences belong to: `early_stopping` holds out whole groups.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it, the partition and the sequence, or when training diverges. The
            estimator then stays as it was.
        ClusterError
            When the cluster is gone, or no worker is left. The estimator then stays as it was.
        KeyboardInterrupt
            After Ctrl-C. The estimator is then fitted as far as it got; before the first update it stays as it was.

        Examples
        --------
        >>> import dask.array
        >>> import numpy as np
        >>> from skrnn.dask import DaskRNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(60, 8, 2))
        >>> parts = dask.array.from_array(X, chunks=(20, 8, 2))
        >>> net = DaskRNNRegressor(8, random_state=0).fit(parts, parts[:, -1, 0])
        >>> net.predict(parts)
        dask.array<concatenate, shape=(60,), dtype=float64, chunksize=(20,), chunktype=numpy.ndarray>
        """
        partitions = partitions_of(X)
        n_shards = partitions.n_shards(self.n_shards)
        (y, sample_weight, X_val, y_val, groups), counts = self._gathered(
            y=y, sample_weight=sample_weight, X_val=X_val, y_val=y_val, groups=groups
        )
        check_lengths(counts.pop("X_val", []), counts.pop("y_val", []), "X_val", "y_val")
        with shards_of(partitions.as_long_as(counts).shards(n_shards), self.client) as shards:
            return self._fit_shards(shards, y, sample_weight, X_val, y_val, groups, X)


@with_parameters(RNNClassifier, **OF_CLUSTERS)
class DaskRNNClassifier(DaskNetMixin, RNNClassifier):
    """:class:`skrnn.RNNClassifier` for sequences that no machine holds: trained by all workers of a Dask cluster.

    All workers compute the gradient of every batch, each of the sequences that it has; what follows, from the
    optimizer to early stopping, is that of one process. The result has the same bits on any number of workers, wherever
    the partitions lie.

    Of X in partitions, `predict`, `predict_proba`, `predict_log_proba` and `transform` are lazy and have the form of X:
    of a Dask DataFrame a Series or DataFrame of its index, whose columns are the classes and, with `return_sequences`,
    hold lists of Arrow; of a Dask Array an array; else a list of Delayed. X in memory is predicted at once.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    skrnn.RNNClassifier : Trained by one process; `to_local` returns one.

    Notes
    -----
    `fit` takes X in partitions alone. For `partial_fit`, of X in memory, there is `to_local`.

    References
    ----------
    {cell_references}

    Examples
    --------
    >>> import dask.array
    >>> import numpy as np
    >>> from distributed import Client
    >>> from skrnn.dask import DaskRNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(60, 8, 1))
    >>> parts, y = dask.array.from_array(X, chunks=(20, 8, 1)), X[:, 0, 0] > 0
    >>> with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
    ...     net = DaskRNNClassifier(8, random_state=0).fit(parts, y)
    >>> net.to_local().score(X, y) > 0.9
    True
    """

    _local_type = RNNClassifier

    __init__ = shared_init(RNNClassifier, whole=True, client=None, n_shards="auto")


@with_parameters(RNNRegressor, **OF_CLUSTERS)
class DaskRNNRegressor(DaskNetMixin, RNNRegressor):
    """:class:`skrnn.RNNRegressor` for sequences that no machine holds: trained by all workers of a Dask cluster.

    All workers compute the gradient of every batch, each of the sequences that it has; what follows, from the
    optimizer to early stopping, is that of one process. The result has the same bits on any number of workers, wherever
    the partitions lie.

    Of X in partitions, `predict`, `predict_quantile`, `sample` and `transform` are lazy and have the form of X: of a
    Dask DataFrame a Series or DataFrame of its index, whose columns with `return_sequences` hold lists of Arrow; of a
    Dask Array an array; else a list of Delayed. X in memory is predicted at once.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    skrnn.RNNRegressor : Trained by one process; `to_local` returns one.

    Notes
    -----
    `fit` takes X in partitions alone. For `partial_fit`, of X in memory, there is `to_local`.

    References
    ----------
    {cell_references}

    Examples
    --------
    >>> import dask
    >>> import numpy as np
    >>> from skrnn.dask import DaskRNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> parts = [[rng.normal(size=(steps, 1)) for steps in rng.integers(5, 10, size=20)] for _ in range(3)]
    >>> y = [x.mean() for part in parts for x in part]
    >>> X = [dask.delayed(part) for part in parts]
    >>> net = DaskRNNRegressor(8, random_state=0).fit(X, y)
    >>> round(net.score(X, y), 1)
    1.0
    """

    _local_type = RNNRegressor

    __init__ = shared_init(RNNRegressor, whole=True, client=None, n_shards="auto")

    @available_if(knows_density)
    def sample(self, X, n_samples=1, random_state=None, *, initial_state=None, return_state=False):
        """Draw targets from the distribution that the net predicts.

        Parameters
        ----------
        X : in partitions or in memory
            Sequences.
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
            Gives each partition a seed of its own.
        initial_state, return_state
            As in `predict`, for X in memory.

        Returns
        -------
        y : of shape (n, n_samples)
            In the form of what `predict` returns, with a last dimension (n_samples,).
        state : array of shape (n, width)
            Only with `return_state`.

        Raises
        ------
        AttributeError
            With losses other than "gaussian", "student_t" and "negative_binomial".
        ValueError, TypeError
            As in `predict`; when `n_samples` is not positive.

        Examples
        --------
        >>> import dask.array
        >>> import numpy as np
        >>> from skrnn.dask import DaskRNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(size=(60, 4, 1))
        >>> parts = dask.array.from_array(X, chunks=(20, 4, 1))
        >>> net = DaskRNNRegressor(8, loss="negative_binomial", random_state=0).fit(parts, rng.poisson(9 * X[:, 0, 0]))
        >>> net.sample(parts, 5, random_state=0).compute().shape
        (60, 5)
        """
        if not is_partitioned(X):
            return super().sample(X, n_samples, random_state, initial_state=initial_state, return_state=return_state)
        check_no_states(initial_state, return_state)
        if not is_positive_int(n_samples):
            raise ValueError(f"n_samples={shown(n_samples)}: expected a positive int")
        seeds = check_random_state(random_state).randint(np.iinfo(np.int32).max, size=len(partitions_of(X)))
        layout = self._layout_of(lambda fitted, scores: decoded(fitted, scores)[..., np.newaxis].repeat(n_samples, -1))
        return lazily(X, self.to_local(), partial(drawn, n_samples=n_samples, seeds=seeds), layout)
