"""RNNClassifier."""

from typing import ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from skrnn._data.examples import check_finite_rows, check_one_each, keep_label_types, missing_labels, step_rows
from skrnn._estimators.base import BaseRNN, in_epochs
from skrnn._training.losses import LOSSES


class RNNClassifier(ClassifierMixin, BaseRNN):
    """Recurrent neural network that classifies sequences, or every step of them.

    The network reads a sequence step by step through one or more recurrent layers; a linear layer on the last state (or
    on the state of each step) gives the log-odds. It is trained on the log loss by backpropagation through time. A y of
    zeros and ones with a column for each of several labels makes it a multilabel classifier.

    Parameters
    ----------
    hidden_size : int or tuple of int, default=32
        Units of the recurrent layer; a tuple stacks layers.
    cell : {"rnn", "gru", "lstm", "skip_lstm"}, default="lstm"
        The recurrent cell: Elman's, the gated recurrent unit, the long short-term memory, or an LSTM with a fourth gate
        that lets the last output skip the cell.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        Activation of the cell "rnn"; the gated cells have their own.
    reset_after : bool, default=True
        For the cell "gru": apply the reset gate after the recurrent product (cuDNN, PyTorch) or before it (Cho et al.).
        In both, an update gate near 1 keeps the state; some texts exchange the two.
    bidirectional : bool, default=False
        Read every sequence in both directions, in every layer, with separate weights.
    return_sequences : bool, default=False
        False: one label a sequence. True: one label a step. It is never guessed from y.
    pooling : {"last", "mean", "max"}, default="last"
        What the output layer reads of a sequence: the last output of the top layer, the mean of its outputs at all
        steps, or the greatest of each unit. Not used with `return_sequences`, which reads every step.
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature.
    embedding_dim : int, default=None
        X holds numbers of categories, 0, 1, 2, ..., one a step, and each category is a vector of so many inputs, which
        is learned. Categories that `fit` did not see are vectors of zeros.
    missing : {"error", "ffill", "indicator"}, default="error"
        What to do with NaN in X: refuse it; take the last value of the feature that was seen in the sequence, or 0; or
        that, with a further input for each feature that is 1 where it was missing. Unless it is "error", steps at the
        end of a 3-D X that are NaN in every feature are padding and left out; per-step predictions repeat the last one
        there.
    dropout : float in [0, 1), default=0.0
        Share of each layer's outputs that the layer above, or the output layer, does not see in training.
    recurrent_dropout : float in [0, 1), default=0.0
        Share of the hidden state that the recurrent weights do not see in training: for each sequence the same units at
        all steps (Gal & Ghahramani 2016).
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes, {label: weight}; "balanced" makes them inverse to how often a class occurs, among
        sequences or, with `return_sequences`, among steps. For several labels a list with a dict for each.
    solver : {"adam", "adamw", "sgd", "rmsprop", "lbfgs"}, default="adam"
        Adam; Adam with decoupled weight decay; stochastic gradient descent with momentum; RMSprop; or L-BFGS on all
        sequences at once, for small data.
    alpha : float, default=1e-4
        Strength of the L2 penalty on the weights, ½ alpha ‖weights‖² / Σ sample weights of the batch; for "adamw" the
        rate of its decay. Biases and embeddings are free.
    batch_size : int or "auto", default="auto"
        Sequences in a batch; "auto" is min(32, n). Not used by "lbfgs".
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, default="constant"
        The step size over the epochs, of all solvers but "lbfgs": `learning_rate_init`; that divided by
        (sequences seen + 1)^power_t; a fifth each time that `n_iter_no_change` epochs bring no improvement, down to
        10⁻⁶; or half a wave of the cosine down to 0 at `max_iter`, and anew after that many calls of `partial_fit`.
    learning_rate_init : float, default=1e-3
        Step size at the start.
    power_t : float, default=0.5
        For the learning rate "invscaling".
    max_iter : int, default=200
        Most epochs, or iterations of "lbfgs".
    shuffle : bool, default=True
        Draw a new order of the sequences for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, of the order, of dropout and of what is held out; pass an int for the same fit
        every time.
    tol : float, default=1e-4
        An epoch is an improvement when it lowers the best loss, or raises the best validation score, by this much. For
        "lbfgs" training ends where no element of the gradient is larger.
    verbose : bool, default=False
        Print the loss of each epoch.
    warm_start : bool, default=False
        Go on from the last fit, with the parameters that it found, rather than from new ones.
    momentum : float in [0, 1], default=0.9
        For the solver "sgd".
    nesterovs_momentum : bool, default=True
        Nesterov's form of momentum, for the solver "sgd".
    early_stopping : bool, default=False
        Hold out a part of the sequences, or take X_val and y_val of `fit`, and stop when the score on them does not
        improve; keep the parameters of the best epoch.
    validation_fraction : float in (0, 1), default=0.1
        The part held out, of each class the same unless every step has a label.
    beta_1, beta_2 : float in [0, 1), default=0.9 and 0.999
        Decay of the means of the gradient and of its square, for "adam" and "adamw".
    epsilon : float, default=1e-8
        What is added to the root of the mean square, for "adam", "adamw" and "rmsprop".
    n_iter_no_change : int, default=10
        Stop after more than this many epochs in a row without improvement.
    max_fun : int, default=15000
        Most evaluations of the loss by "lbfgs".
    max_grad_norm : float or None, default=None
        Scale each gradient to at most this norm; None leaves it alone. Worth setting (to 1, say) for long sequences,
        the solver "sgd" and the cell "skip_lstm", whose gradients may explode.
    bptt_steps : int, default=None
        Take longer sequences in stretches of so many steps, with an update after each: the states are carried from one
        to the next, the gradient is not. None: the gradient goes back to the first step.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The labels; for several labels at once their numbers.
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float or None
        Least loss of an epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch.
    validation_scores_ : list of float or None
        Accuracy on what is held out after each epoch, with `early_stopping`.
    best_validation_score_ : float or None
        The best of them.
    grad_norm_curve_ : list of float
        Mean gradient norm of each epoch, before clipping.
    n_clipped_ : int
        Updates whose gradient was clipped.
    n_iter_ : int
        Epochs.
    t_ : int
        Sequences seen in training.
    n_outputs_ : int
        Outputs of the network: 1 for two classes, else the number of classes or labels.
    out_activation_ : str
        "logistic" for two classes or several labels, else "softmax".
    parameters_ : dict
        The fitted weights by name.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names, when X was a data frame with string names.

    Notes
    -----
    The computing dtype follows X: float32 stays float32, everything else is float64. The result has the same bits for
    any number of threads, and the prediction of a sequence does not depend on which others are predicted with it.

    ``Ctrl-C`` ends training after the batch at hand with a warning; the estimator is then fitted as far as it got.

    References
    ----------
    Elman (1990), Finding structure in time. Cho et al. (2014), Learning phrase representations using RNN
    encoder-decoder. Hochreiter & Schmidhuber (1997), Long short-term memory. Kingma & Ba (2015), Adam. Pascanu, Mikolov
    & Bengio (2013), On the difficulty of training recurrent neural networks. Gal & Ghahramani (2016), A theoretically
    grounded application of dropout in recurrent neural networks. Loshchilov & Hutter (2017), SGDR (cosine); (2019),
    Decoupled weight decay (AdamW). Tieleman & Hinton (2012), RMSprop. Liu & Nocedal (1989), On the limited memory BFGS
    method.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(steps, 1)) for steps in rng.integers(5, 10, size=60)]
    >>> y = ["up" if x[0, 0] > 0 else "down" for x in X]
    >>> net = RNNClassifier(8, cell="gru", batch_size=10, learning_rate_init=0.02, tol=1e-3, random_state=0)
    >>> net.fit(X[:40], y[:40]).predict(X[:3]).tolist() == y[:3]
    True
    >>> net.predict_proba(X[40:]).shape
    (20, 2)
    """

    _parameter_constraints: ClassVar = BaseRNN._parameter_constraints | {
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        hidden_size=32,
        *,
        cell="lstm",
        activation="tanh",
        reset_after=True,
        bidirectional=False,
        return_sequences=False,
        pooling="last",
        n_steps=None,
        embedding_dim=None,
        missing="error",
        dropout=0.0,
        recurrent_dropout=0.0,
        class_weight=None,
        solver="adam",
        alpha=1e-4,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=1e-3,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        max_grad_norm=None,
        bptt_steps=None,
    ):
        super().__init__(
            hidden_size, cell, activation, reset_after, bidirectional, return_sequences, pooling, n_steps,
            embedding_dim, missing, dropout, recurrent_dropout, solver, alpha, batch_size, learning_rate,
            learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose, warm_start, momentum,
            nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change,
            max_fun, max_grad_norm, bptt_steps,
        )
        self.class_weight = class_weight

    @available_if(in_epochs)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One epoch over these sequences, from where the last call, or `fit`, left.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like of shape (n_classes,), optional
            All labels that there will be; needed in the first call.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            As `fit`; without classes in the first call, or with others later; with `early_stopping` or balanced class
            weights, which need all data. The estimator then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
        >>> net = RNNClassifier(8, cell="gru", learning_rate_init=0.02, random_state=0)
        >>> for _ in range(20):
        ...     for part in (slice(30), slice(30, 60)):
        ...         net = net.partial_fit(X[part], X[part, 0, 0] > 0, classes=[False, True])
        >>> net.n_iter_, bool(net.score(X, X[:, 0, 0] > 0) > 0.9)
        (40, True)
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all data at once, which partial_fit does not see; pass the weights as a "
                "dict, see sklearn.utils.class_weight.compute_class_weight"
            )
        if not hasattr(self, "classes_") and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if hasattr(self, "classes_") and classes is not None and not np.array_equal(self.classes_, np.unique(classes)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {self.classes_!r}"
            )
        return self._partial_fit(X, y, sample_weight, classes=classes)

    def _target_rows(self, y, sequences, per_step):
        rows = _labels_of_steps(y, sequences) if per_step else _labels_of_sequences(y)
        missing = missing_labels(rows, per_step)
        if rows.dtype.kind == "f":
            check_finite_rows(_known(rows, missing) if per_step else rows, sequences, per_step)
        if not missing.any():
            return rows, None
        if not per_step:
            where = sequences.label("y", np.flatnonzero(missing)[0], per_step)
            raise ValueError(f"Input y contains a missing label: {where}")
        if missing.all():
            raise ValueError("y has no label for any step")
        return _without_objects(rows, ~missing), ~missing

    def _set_targets(self, rows, classes=None):
        self._multilabel = rows.ndim == 2
        if self._multilabel:
            self.classes_ = np.arange(rows.shape[1])
            if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(f"classes={classes!r}: expected the numbers of the {rows.shape[1]} labels that y has")
            return
        if classes is not None and (np.ndim(classes) != 1 or missing_labels(np.asarray(classes), False).any()):
            raise ValueError(f"classes={classes!r}: expected all labels that there will be, one after the other")
        try:
            self.classes_ = np.unique(rows if classes is None else keep_label_types(classes))
        except TypeError as error:
            types = sorted({type(label).__name__ for label in rows})
            raise TypeError(f"y mixes labels of the types {', '.join(types)}; expected one type") from error
        check_classification_targets(rows)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes in y, got 1 class: {self.classes_[0]!r}"
                + "; with return_sequences the integer -1 is a step without a label" * self.return_sequences
            )

    def _encode(self, rows, labelled, sequences):
        if (rows.ndim == 2) != self._multilabel or (self._multilabel and rows.shape[1] != len(self.classes_)):
            raise ValueError(
                f"y has {1 if rows.ndim == 1 else rows.shape[1]} columns, expected "
                f"{len(self.classes_) if self._multilabel else 1} as in the first fit"
            )
        known = slice(None) if labelled is None else labelled
        if self._multilabel:
            targets = np.zeros(rows.shape, sequences.dtype)
            targets[known] = rows[known]
            return targets
        codes = np.zeros(len(rows), np.intp)
        codes[known] = np.minimum(np.searchsorted(self.classes_, rows[known]), len(self.classes_) - 1)
        wrong = np.flatnonzero(self.classes_[codes[known]] != rows[known])
        if len(wrong):
            raise ValueError(f"y has the label {rows[known][wrong[0]]!r}, which is not among classes: {self.classes_}")
        return codes

    def _make_loss(self):
        n_classes = len(self.classes_)
        if self._multilabel:
            return LOSSES["multilabel_log_loss"](), n_classes
        return (LOSSES["binary_log_loss"](), 1) if n_classes == 2 else (LOSSES["log_loss"](), n_classes)

    def _target_weights(self, rows, labelled):
        if self.class_weight is None:
            return None
        known = slice(None) if labelled is None else labelled
        weights = np.zeros(len(rows))
        if isinstance(self.class_weight, dict) and not self._multilabel:
            other = [label for label in self.class_weight if label not in self.classes_]
            if other:
                raise ValueError(
                    f"class_weight has weights for {other}, which are not among the classes {self.classes_}"
                )
            of_class = np.array([self.class_weight.get(label, 1.0) for label in self.classes_], dtype=float)
            weights[known] = of_class[np.searchsorted(self.classes_, rows[known])]
        else:
            weights[known] = compute_sample_weight(self.class_weight, rows[known])
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise ValueError(
                f"class_weight={self.class_weight!r}: expected finite weights that are not negative, and one at least "
                "that is not 0"
            )
        return weights

    def _decode(self, scores):
        p = self._probabilities(scores)
        return (p > 0.5).astype(int) if self._multilabel else self.classes_[np.argmax(p, axis=1)]

    def _probabilities(self, scores):
        return self._loss.predict(scores)

    def _log_probabilities(self, scores):
        return self._loss.predict_log(scores)

    def _validation_score(self, rows, scores, weights):
        return accuracy_score(rows, self._decode(scores), sample_weight=weights)

    def _strata(self, rows):
        return None if self._multilabel else rows

    def predict_proba(self, X, *, initial_state=None, return_state=False):
        """Probability of each class or label, for each sequence or with `return_sequences` each step.

        ``cross_val_predict`` cannot put together probabilities of steps; it takes ``method="predict"`` then.

        Parameters
        ----------
        X, initial_state, return_state
            As in `predict`.

        Returns
        -------
        p : array of shape (n, n_classes); with `return_sequences` (n, steps, n_classes), or for a collection an \
object array of n arrays (steps, n_classes)
            Columns in the order of ``classes_``.
        state : array of shape (n, width)
            Only with `return_state`.

        Raises
        ------
        ValueError, TypeError
            As `predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
        >>> net = RNNClassifier(4, tol=1e-2, random_state=0).fit(X, np.arange(60) % 3)
        >>> net.predict_proba(X).shape, round(float(net.predict_proba(X)[0].sum()), 6)
        ((60, 3), 1.0)
        """
        return self._predict(X, self._probabilities, initial_state, return_state)

    def predict_log_proba(self, X):
        """The logarithm of `predict_proba`, finite also where that is 0.

        Parameters
        ----------
        X : as in `predict`

        Returns
        -------
        log_p : like what `predict_proba` returns

        Raises
        ------
        ValueError, TypeError
            As `predict`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
        >>> net = RNNClassifier(4, tol=1e-2, random_state=0).fit(X, np.arange(60) % 3)
        >>> bool(np.allclose(net.predict_log_proba(X), np.log(net.predict_proba(X))))
        True
        """
        return self._predict(X, self._log_probabilities, None, False)

    def score(self, X, y, sample_weight=None):
        """Accuracy over sequences, or with `return_sequences` over all steps that have a label.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. Of several labels, all have to be right.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            When X, y or the weights cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.metrics import accuracy_score
        >>> from skrnn import RNNClassifier
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> y = X[:, 0, 0] > 0
        >>> net = RNNClassifier(4, tol=1e-2, random_state=0).fit(X, y)
        >>> bool(net.score(X, y) == accuracy_score(y, net.predict(X)))
        True
        """
        return self._score(accuracy_score, X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _labels_of_steps(y, sequences):
    """Labels (total,), or (total, labels) of zeros and ones."""
    rows = step_rows(y, sequences, numeric=False)
    rows = rows[:, 0] if rows.ndim == 2 and rows.shape[1] == 1 else rows
    if rows.ndim == 2:
        _check_indicators(rows, "y of steps has several values a step")
    return rows


def _labels_of_sequences(y):
    """Labels (n,), or (n, labels) of zeros and ones."""
    y = check_one_each(y.toarray() if issparse(y) else y)
    rows = np.asarray(keep_label_types(y))
    if rows.ndim == 2 and rows.shape[1] > 1:
        _check_indicators(rows, f"y has shape {rows.shape}")
        return rows
    try:
        return column_or_1d(keep_label_types(y), warn=True)
    except ValueError as error:
        raise ValueError(
            f"{error} Expected one label a sequence; for one a step use return_sequences=True"
        ) from error


def _check_indicators(rows, what):
    """Raise a ValueError unless rows (…, labels) are zeros and ones, or wholly missing."""
    good = (rows == 0) | (rows == 1) if rows.dtype.kind in "fiub" else np.zeros(rows.shape, bool)
    if not good[~missing_labels(rows, True)].all():
        raise ValueError(
            f"{what}, expected 0 and 1 for each of several labels, or one label; one label a step needs "
            "return_sequences=True, several targets with more classes sklearn.multioutput.MultiOutputClassifier"
        )


def _without_objects(rows, labelled):
    """Numbers that are an array of objects only because some are missing as an array of numbers."""
    known = np.array(rows[labelled].tolist()) if rows.dtype.kind == "O" else rows
    if known.dtype.kind not in "biuf" or known is rows:
        return rows
    numbers = np.zeros(rows.shape, known.dtype)
    numbers[labelled] = known
    return numbers


def _known(rows, missing):
    """Rows with zeros in the place of missing ones."""
    return np.where(missing if rows.ndim == 1 else missing[:, np.newaxis], 0, rows)
