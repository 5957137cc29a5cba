"""DaskRNNLanguageModel."""

from dataclasses import replace
from functools import partial

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np

from skrnn._estimators.shard import naming_partition
from skrnn._estimators.shared_parameters import shared_init, with_parameters
from skrnn._language.language_model import RNNLanguageModel
from skrnn._language.shard import ShardedTexts, TextShard
from skrnn._language.vocabulary import texts_in
from skrnn._sklearn import checks_parameters
from skrnn.dask._clients import client_for
from skrnn.dask._estimators import OF_CLUSTERS, DaskEstimatorMixin
from skrnn.dask._layout import Layout, Piece
from skrnn.dask._partitions import Partitions, compute, gathered, is_partitioned, partitions_of
from skrnn.dask._prediction import lazily, shared
from skrnn.dask._shards import shards_of

OF_CLUSTERS_OF_TEXTS = OF_CLUSTERS | {
    "n_shards": replace(OF_CLUSTERS["n_shards"], meaning=(
        "In how many parts X is trained on, neighbouring partitions together. Each has its share of the streams, at "
        "least one, which are more than `n_streams` if there are more parts. The result depends on it, and not on the "
        'workers; 1 gives the bits of one process. "auto": as many as X has partitions, at most 64.'
    )),
}


@with_parameters(RNNLanguageModel, **OF_CLUSTERS_OF_TEXTS)
class DaskRNNLanguageModel(DaskEstimatorMixin, RNNLanguageModel):
    """:class:`skrnn.RNNLanguageModel` for texts that no machine holds: trained by all workers of a Dask cluster.

    All workers compute the gradient of every update, each of the streams that it has; what follows, from the optimizer
    to early stopping, is that of one process. The result has the same bits on any number of workers, wherever the
    partitions lie.

    Texts in partitions are a Dask Bag, a Series (one column of a DataFrame), a 1-D Array, or a list of Delayed of lists
    of texts. Of these `score_samples` and `predict_proba` are lazy and have the form of the texts: of a Series a Series
    or DataFrame of its index, of an Array an array, else a list of Delayed. `score`, `perplexity` and `bits_per_token`
    are computed at once. Texts in memory are scored as by :class:`skrnn.RNNLanguageModel`.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    skrnn.RNNLanguageModel : Trained by one process; `to_local` returns one.

    Notes
    -----
    The symbols of all texts are counted first. Then a worker holds its texts as numbers, 16 bytes a symbol; this
    process is told how long each text is, 16 bytes a text.

    A Series that holds lists of symbols has to be made under ``dask.config.set({"dataframe.convert-string": False})``:
    otherwise Dask makes text of them.

    References
    ----------
    Mikolov, T. et al. (2010). Recurrent neural network based language model. Interspeech.

    Examples
    --------
    >>> import dask.bag
    >>> from distributed import Client
    >>> from skrnn.dask import DaskRNNLanguageModel
    >>> texts = dask.bag.from_sequence(["anna", "hanna", "hannah", "nana"] * 20, npartitions=3)
    >>> with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
    ...     model = DaskRNNLanguageModel(16, random_state=0).fit(texts)
    >>> model.perplexity(["hannah"]) < model.perplexity(["abba"])
    True
    >>> set(model.to_local().generate(20, random_state=0)) <= set("anh")
    True
    """

    _local_type = RNNLanguageModel

    __init__ = shared_init(RNNLanguageModel, whole=True, client=None, n_shards="auto")

    @checks_parameters
    def fit(self, X, y=None, *, X_val=None):
        """Fit the model to texts in partitions.

        Parameters
        ----------
        X : Dask Bag, Series or Array (n,), or list of Delayed
            Texts: each partition is an X as :meth:`skrnn.RNNLanguageModel.fit` takes it, or has no texts.
        y : None
            Ignored.
        X_val : like X, or in memory, optional
            For `early_stopping`: the texts to validate on, instead of some of X. This process holds them.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it, the partition and the text, or when training diverges. The
            estimator then stays as it was.
        ClusterError
            When the cluster is gone, or no worker is left. The estimator then stays as it was.
        KeyboardInterrupt
            After Ctrl-C. The estimator is then fitted as far as it got; before the first update it stays as it was.

        Examples
        --------
        >>> import dask
        >>> from skrnn.dask import DaskRNNLanguageModel
        >>> parts = [dask.delayed(["anna", "hanna"] * 20), dask.delayed(["hannah", "nana"] * 20)]
        >>> model = DaskRNNLanguageModel(16, random_state=0).fit(parts)
        >>> model.symbols_.tolist()
        ['a', 'h', 'n', '<unknown>', '<end>']
        """
        self._check_fit(X_val)
        resume = self._resumed()
        if is_partitioned(X_val):
            with client_for(self.client) as client:
                (X_val,), _ = gathered({"X_val": X_val}, client)
        with self._shards_of(X, resume) as shards:
            return self._fit_texts(ShardedTexts(shards), resume, X, y, X_val)

    @checks_parameters
    def partial_fit(self, X, y=None, *, symbols=None, ends=True):
        """Train for one epoch on some texts, from where the last call, or `fit`, left.

        Parameters
        ----------
        X : as in `fit`, or in memory
            Texts.
        y : None
            Ignored.
        symbols : iterable of symbols, optional
            In the first call: all known symbols, including those that only later texts have; None for those of X. All
            others count as unknown.
        ends : bool, default=True
            Whether the end of each text of X is an end. False for parts of longer texts, which may be split anywhere.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            As `fit`; and when `symbols` in a later call differ from those in the first.

        Examples
        --------
        >>> import dask.bag
        >>> from skrnn.dask import DaskRNNLanguageModel
        >>> model = DaskRNNLanguageModel(8, random_state=0)
        >>> for month in (["anna", "hanna"], ["hannah", "nana"]):
        ...     model = model.partial_fit(dask.bag.from_sequence(month * 10, npartitions=2), symbols="ahn")
        >>> model.n_iter_, model.t_
        (2, 230)
        """
        if not is_partitioned(X):
            return super().partial_fit(X, y, symbols=symbols, ends=ends)
        resume = self._check_partial_fit(ends)
        with self._shards_of(X, resume) as shards:
            return self._fit_part(ShardedTexts(shards), resume, symbols, ends)

    def _shards_of(self, X, resume):
        """A context manager of the `Shards` of X."""
        make = partial(TextShard.of_partitions, analyzer=self._analyzer(resume))
        return shards_of(partitions_of_texts(X).shards(self.n_shards), self.client, make)

    def score(self, X, y=None):
        """Mean log-likelihood per symbol, in nats; ends count as symbols.

        Parameters
        ----------
        X : texts in partitions or in memory
            All unknown symbols together have one probability.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Higher is better. Only comparable between models with the same `symbols_`.

        Raises
        ------
        TypeError, ValueError
            When X is not a collection of texts, naming the partition and the text, or empty.

        Examples
        --------
        >>> import dask.bag
        >>> from skrnn.dask import DaskRNNLanguageModel
        >>> texts = dask.bag.from_sequence(["abcabcabc"] * 20, npartitions=2)
        >>> model = DaskRNNLanguageModel(8, random_state=0).fit(texts)
        >>> model.score(texts) > model.score(["cbacba"])
        True
        """
        if not is_partitioned(X):
            return super().score(X)
        self._get_fitted()
        net, sum_of = shared(self.to_local()), dask.delayed(_sum_of_scores)
        with client_for(self.client) as client:
            parts = partitions_of_texts(X).parts
            found = compute([sum_of(net, part, number) for number, part in enumerate(parts)], client)
        sums, counts = zip(*found, strict=True)
        if not sum(counts):
            raise ValueError("X is empty, expected at least one text")
        return sum(sums) / sum(counts)

    def score_samples(self, X):
        """Log-likelihood of each text with its end, in nats.

        Parameters
        ----------
        X : texts in partitions or in memory

        Returns
        -------
        log_likelihoods : of shape (n,)
            The exponentials of those of all possible texts sum to 1. Lazy, and in the form of X, where it is in
            partitions.

        Raises
        ------
        TypeError, ValueError
            As `score`; of X in partitions when they are computed.

        Examples
        --------
        >>> import dask.bag
        >>> from skrnn.dask import DaskRNNLanguageModel
        >>> texts = dask.bag.from_sequence(["abcabcabc"] * 20, npartitions=2)
        >>> model = DaskRNNLanguageModel(8, random_state=0).fit(texts)
        >>> first, second = model.score_samples(texts)
        >>> first.compute().shape
        (10,)
        """
        if not is_partitioned(X):
            return super().score_samples(X)
        return self._lazily(X, _scores_of, Piece((), np.dtype(np.float64), "log_likelihood"))

    def predict_proba(self, prefixes):
        """Probability of each symbol to come next.

        Parameters
        ----------
        prefixes : texts in partitions or in memory
            Beginnings of texts, which may be empty.

        Returns
        -------
        probabilities : of shape (n, V)
            In the order of `symbols_`, which are the columns of frames. Lazy, and in the form of the prefixes, where
            these are in partitions.

        Raises
        ------
        TypeError, ValueError
            When `prefixes` is not a collection of texts, naming the partition and the text; of prefixes in partitions
            when they are computed.

        Examples
        --------
        >>> import dask.dataframe
        >>> import pandas as pd
        >>> from skrnn.dask import DaskRNNLanguageModel
        >>> texts = dask.dataframe.from_pandas(pd.Series(["abcabcabc"] * 20), npartitions=2)
        >>> model = DaskRNNLanguageModel(8, random_state=0).fit(texts)
        >>> model.predict_proba(texts).columns.tolist()
        ['a', 'b', 'c', '<unknown>', '<end>']
        """
        if not is_partitioned(prefixes):
            return super().predict_proba(prefixes)
        symbols = list(self._get_fitted().reading.attributes()["symbols_"])
        piece = Piece((len(symbols),), np.dtype(np.float64), names=symbols)
        return self._lazily(prefixes, _probabilities_of, piece, "prefixes")

    def _lazily(self, X, function, piece, name="X"):
        self._get_fitted()
        return lazily(X, self.to_local(), function, Layout([piece], None, False), partitions_of_texts(X, name).parts)


def partitions_of_texts(X, name="X"):
    """The partitions of texts.

    Parameters
    ----------
    X : Dask Bag, Series or Array (n,), or list of Delayed or Future
    name : str
        What messages call it.

    Raises
    ------
    TypeError, ValueError
        For anything else, saying what to do.
    """
    if not is_partitioned(X):
        raise TypeError(
            f"{name} is a {type(X).__name__}, expected texts in partitions: a Dask Bag, Series or Array (n,), or a "
            "list of delayed lists of texts. Texts in memory are for RNNLanguageModel; or pass "
            "dask.bag.from_sequence(texts, npartitions=...)"
        )
    if isinstance(X, dd.DataFrame) or (isinstance(X, da.Array) and X.ndim != 1):
        raise ValueError(
            f"{name} is a Dask {type(X).__name__} with {X.ndim} dimensions, expected texts (n,); of a table pass one "
            f"column, {name}['...']"
        )
    return Partitions(X.to_delayed()) if isinstance(X, dd.Series) else partitions_of(X, name)


def _sum_of_scores(model, part, number):
    """The sum of the log-likelihoods of all symbols of a partition, and how many these are."""
    with naming_partition(number):
        texts = texts_in(part, may_be_empty=True)
        log_likelihoods = model._log_likelihoods(texts)[0] if texts else np.empty(0)
    return float(log_likelihoods.sum()), len(log_likelihoods)


def _scores_of(model, part, number):
    return model.score_samples(part)


def _probabilities_of(model, part, number):
    return model.predict_proba(part)
