"""What a regressor says of the distribution of its targets: deviations, quantiles, samples, and scores of them."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from skrnn._data.numbers import as_numbers, is_positive_int
from skrnn._data.target_checks import check_samples
from skrnn._data.weights import as_weights
from skrnn._estimators.base import decoded
from skrnn._messages import shown
from skrnn._training.losses import LOSSES

LIKELIHOODS = ", ".join(f'"{name}"' for name, loss in LOSSES.items() if loss.is_likelihood)


def knows_density(estimator):
    """Whether the loss is the likelihood of a distribution; an AttributeError says for which losses it is."""
    if not _loss_of(estimator).is_likelihood:
        raise AttributeError(f"this is for the losses {LIKELIHOODS}, not for loss={_loss_of(estimator).name!r}")
    return True


def knows_quantiles(estimator):
    """Whether predictions have quantiles; an AttributeError says of which losses they have."""
    loss = _loss_of(estimator)
    fitted = estimator.__sklearn_is_fitted__()
    several = loss.knows_quantiles if fitted else loss.name == "quantile" and np.ndim(estimator.quantile)
    if not (several or loss.is_likelihood):
        raise AttributeError(
            f"this is for loss='quantile' with a list, such as quantile=[0.05, 0.5, 0.95], and for the losses "
            f"{LIKELIHOODS}, not for loss={loss.name!r}"
        )
    return True


def _loss_of(estimator):
    """The loss of a fitted estimator, or the class of that which the parameters name."""
    if estimator.__sklearn_is_fitted__():
        return estimator._fitted.model.loss
    return LOSSES[estimator.loss]


class PredictiveMixin:
    """Methods of a regressor whose loss knows a distribution."""

    def predict(self, X, return_std=False, *, initial_state=None, return_state=False):
        """Predict a target for each sequence, or with `return_sequences` for each step.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.
        return_std : bool, default=False
            Also return the standard deviation of each target, with the losses "gaussian", "student_t" and
            "negative_binomial": what is left to chance, as the net has learned it. What the net does not know for want
            of data is not in it.
        initial_state : array-like of shape (n, width), optional
            States to continue from, which an earlier call of this net returned: as they are, or read from a file as
            lists or in another dtype. Those of another net that has as many units are not told apart.
        return_state : bool, default=False
            Also return the states after the last steps. With it, or with `initial_state`, no step is padding.

        Returns
        -------
        y : array of shape (n,); with `return_sequences` (n, steps), or for a collection an object array of n arrays \
(steps,)
            Predictions, with a dimension (outputs,) when y had one in `fit`, and of several quantiles with these as the
            last dimension: (n, quantiles), (n, outputs, quantiles). Of a distribution they are its mean.
        std : like y
            Only with `return_std`.
        state : array of shape (n, width)
            Only with `return_state`, as the last.

        Raises
        ------
        ValueError, TypeError
            When X or the states cannot be used, naming the sequence; when the states grow without bound; when the loss
            knows no deviation.

        Examples
        --------
        A deviation that depends on the sequence:

        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(size=(300, 4, 1))
        >>> y = (0.1 + X[:, 0, 0]) * rng.normal(size=300)
        >>> net = RNNRegressor(8, loss="gaussian", random_state=0).fit(X, y)
        >>> y, std = net.predict(X, return_std=True)
        >>> bool(np.corrcoef(std, X[:, 0, 0])[0, 1] > 0.9)
        True

        A sequence in two pieces:

        >>> _, state = net.predict(X[:, :3], return_state=True)
        >>> bool((net.predict(X[:, 3:], initial_state=state) == net.predict(X)).all())
        True
        """
        return self._predict(X, self._decoder(return_std), initial_state, return_state)

    def predict_step(self, x, state, *, return_std=False):
        """Predict from one more step of each of some streams; the same bits as `predict` of the steps so far.

        With `missing`, a step that is NaN in every feature is a step like any other here, not padding.

        Parameters
        ----------
        x : array-like of shape (features,) or (n, features)
            The step of one stream, or of n.
        state : array-like of shape (n, width), or None
            From `initial_state`, which None stands for, unless the net has static features; or from the step before: as
            `initial_state` in `predict`. For one stream also (width,).
        return_std : bool, default=False
            As in `predict`.

        Returns
        -------
        y : the prediction, or array of n of them
            With one target a sequence, the one that it would have if it ended here.
        std : like y
            Only with `return_std`.
        state : array of shape (n, width)
            For the next step.

        Raises
        ------
        ValueError, TypeError
            When x or the state do not fit the net, it reads in both directions, or the loss knows no deviation.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(50, 8, 2))
        >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
        >>> state = net.initial_state()
        >>> for x in X[0]:
        ...     y, state = net.predict_step(x, state)
        >>> bool(y == net.predict(X[:1])[0])
        True
        """
        predicted, state = self._predict_step(x, state, self._decoder(return_std), "predict_step")
        return (*predicted, state) if return_std else (predicted, state)

    def _decoder(self, return_std):
        """What makes predictions of scores; a ValueError if the loss knows no deviation."""
        if return_std and not _loss_of(self).is_likelihood:
            raise ValueError(
                f"return_std=True is for the losses {LIKELIHOODS}, whose nets predict a deviation, not for "
                f"loss={_loss_of(self).name!r}"
            )
        return mean_and_std if return_std else decoded

    @available_if(knows_quantiles)
    def predict_quantile(self, X, q, *, initial_state=None, return_state=False):
        """Predict quantiles of the target of each sequence, or with `return_sequences` of each step.

        With the losses "gaussian", "student_t" and "negative_binomial" they are those of the distribution. A net with
        several quantiles knows these: between two of them they are interpolated, and beyond them is an error.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.
        q : float or array-like of shape (m,)
            Between 0 and 1.
        initial_state, return_state
            As in `predict`.

        Returns
        -------
        y : array of shape (n,) for one q, or (n, m)
            In the form of what `predict` returns, with a last dimension (m,) where q has one.
        state : array of shape (n, width)
            Only with `return_state`.

        Raises
        ------
        AttributeError
            With other losses, and one quantile.
        ValueError, TypeError
            As in `predict`; when q is not between 0 and 1, or beyond the quantiles that the net knows.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(size=(300, 4, 1))
        >>> y = X[:, 0, 0] * rng.normal(size=300)
        >>> net = RNNRegressor(8, loss="gaussian", random_state=0).fit(X, y)
        >>> low, high = net.predict_quantile(X, [0.05, 0.95]).T
        >>> bool(0.85 < np.mean((low < y) & (y < high)) < 0.95)
        True
        """
        levels = as_numbers(q, "q")
        if levels.ndim > 1 or not levels.size or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(f"q={shown(q)}: expected a number between 0 and 1, or a list of them")

        def quantiles(fitted, scores):
            found = fitted.targets.distribution(scores, fitted.model.loss).quantile(np.atleast_1d(levels))
            return _in_shape(fitted, scores, found if levels.ndim else found[..., 0])

        return self._predict(X, quantiles, initial_state, return_state)

    @available_if(knows_density)
    def sample(self, X, n_samples=1, random_state=None, *, initial_state=None, return_state=False):
        """Draw targets from the distribution that the net predicts.

        With `return_sequences` each step is drawn by itself: the steps of a sample do not depend on each other.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None
        initial_state, return_state
            As in `predict`.

        Returns
        -------
        y : array of shape (n, n_samples)
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
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(size=(60, 4, 1))
        >>> net = RNNRegressor(8, loss="negative_binomial", random_state=0).fit(X, rng.poisson(9 * X[:, 0, 0]))
        >>> net.sample(X, 5, random_state=0).shape
        (60, 5)
        """
        if not is_positive_int(n_samples):
            raise ValueError(f"n_samples={shown(n_samples)}: expected a positive int")
        random_state = check_random_state(random_state)

        def draws(fitted, scores):
            found = fitted.targets.distribution(scores, fitted.model.loss).sample(int(n_samples), random_state)
            return _in_shape(fitted, scores, found)

        return self._predict(X, draws, initial_state, return_state)

    def _mean_over_targets(self, function, X, y, sample_weight):
        """The weighted mean over all targets that are known of ``function(distribution, y)``, which is (R, Q)."""
        fitted = self._get_fitted()
        sequences, scores, targets = fitted.scores(self, X)
        check_samples(sequences, y)
        per_step = fitted.model.network.per_step
        weights = as_weights(sample_weight, sequences, per_step)
        rows = targets.read(y, sequences, per_step)
        targets.check(rows)
        values = rows.of_known(rows.values[rows.known]).reshape(len(rows), -1).astype(np.float64)
        of_targets = function(targets.distribution(scores, fitted.model.loss), values)
        known = ~np.isnan(values)
        known[~np.broadcast_to(True if rows.labelled is None else rows.labelled, len(rows))] = False
        weights = np.broadcast_to(1.0 if weights is None else weights, len(rows))
        return float(np.average(of_targets[known], weights=(weights[:, np.newaxis] * known)[known]))


def mean_and_std(fitted, scores):
    """Predictions for raw scores, and their standard deviations."""
    std = fitted.targets.distribution(scores, fitted.model.loss).std
    return decoded(fitted, scores), _in_shape(fitted, scores, std)


def mean_over_targets(regressor, function, X, y, sample_weight=None):
    """The mean over known targets of ``function(distribution, y)``: what scores of distributions are made of.

    Parameters
    ----------
    regressor : RNNRegressor
    function : callable
        Of a `Distribution` or `Quantiles` and targets (R, Q) float64, NaN where they are missing.
    X, y, sample_weight
        As in `RNNRegressor.score`.
    """
    return regressor._mean_over_targets(function, X, y, sample_weight)


def _in_shape(fitted, scores, rows):
    """Rows (R, Q, ...) as `decode` returns them: in the dtype of the scores, without Q where a target has no shape."""
    rows = rows.astype(scores.dtype)
    return rows if fitted.targets.shape else rows[:, 0]
