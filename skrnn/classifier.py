"""RNNClassifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skrnn._base import BaseRNN
from skrnn._examples import check_finite_rows, check_one_each, one_column, step_rows
from skrnn._numbers import is_missing
from skrnn.losses import LOSSES


class RNNClassifier(ClassifierMixin, BaseRNN):
    """Recurrent neural network that classifies sequences, or every step of them.

    The network reads a sequence step by step through one or more recurrent layers; a linear layer on the last state (or
    on the state of each step) gives the log-odds. It is trained on the log loss by backpropagation through time.

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
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature.
    solver : {"adam", "sgd"}, default="adam"
        Adam, or stochastic gradient descent with momentum.
    alpha : float, default=1e-4
        Strength of the L2 penalty on the weights, ½ alpha ‖weights‖² / Σ sample weights of the batch; biases are free.
    batch_size : int or "auto", default="auto"
        Sequences in a batch; "auto" is min(200, n).
    learning_rate_init : float, default=1e-3
        Step size.
    max_iter : int, default=200
        Most epochs.
    shuffle : bool, default=True
        Draw a new order of the sequences for each epoch.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights and of the order; pass an int for the same fit every time.
    tol : float, default=1e-4
        An epoch is an improvement when it lowers the best loss by this much.
    verbose : bool, default=False
        Print the loss of each epoch.
    momentum : float in [0, 1], default=0.9
        For the solver "sgd".
    nesterovs_momentum : bool, default=True
        Nesterov's form of momentum, for the solver "sgd".
    n_iter_no_change : int, default=10
        Stop after more than this many epochs in a row without improvement.
    max_grad_norm : float or None, default=None
        Scale each gradient to at most this norm; None leaves it alone. Worth setting (to 1, say) for long sequences,
        the solver "sgd" and the cell "skip_lstm", whose gradients may explode.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The labels.
    loss_ : float
        Loss of the last epoch.
    best_loss_ : float
        Least loss of an epoch.
    loss_curve_ : list of float
        Loss of each epoch.
    grad_norm_curve_ : list of float
        Mean gradient norm of each epoch, before clipping.
    n_clipped_ : int
        Updates whose gradient was clipped.
    n_iter_ : int
        Epochs.
    t_ : int
        Sequences seen in training.
    n_outputs_ : int
        Outputs of the network: 1 for two classes, else the number of classes.
    out_activation_ : str
        "logistic" for two classes, else "softmax".
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

    References
    ----------
    Elman (1990), Finding structure in time. Cho et al. (2014), Learning phrase representations using RNN
    encoder-decoder. Hochreiter & Schmidhuber (1997), Long short-term memory. Kingma & Ba (2015), Adam. Pascanu, Mikolov
    & Bengio (2013), On the difficulty of training recurrent neural networks.

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

    def _target_rows(self, y, sequences, per_step):
        if per_step:
            labels = one_column(step_rows(y, sequences, numeric=False), "y")
        else:
            check_one_each(y)
            try:
                labels = column_or_1d(_unmixed(y), warn=True)
            except ValueError as error:
                raise ValueError(
                    f"{error} Expected one label a sequence; for one a step use return_sequences=True"
                ) from error
        if labels.dtype.kind == "f":
            check_finite_rows(labels, sequences, per_step)
        missing = [i for i, label in enumerate(labels) if is_missing(label)] if labels.dtype.kind == "O" else []
        if missing:
            raise ValueError(f"Input y contains a missing label: {sequences.label('y', missing[0], per_step)}")
        return labels

    def _encode_targets(self, rows, sequences):
        try:
            self.classes_, codes = np.unique(rows, return_inverse=True)
        except TypeError as error:
            types = sorted({type(label).__name__ for label in rows})
            raise TypeError(f"y mixes labels of the types {', '.join(types)}; expected one type") from error
        check_classification_targets(rows)
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least 2 classes in y, got 1 class: {self.classes_[0]!r}"
            )
        if n_classes == 2:
            return codes, 1, "binary_log_loss"
        return codes, n_classes, "log_loss"

    def _decode(self, scores):
        return self.classes_[np.argmax(self._probabilities(scores), axis=1)]

    def _probabilities(self, scores):
        return LOSSES[self._loss].predict(scores)

    def predict_proba(self, X):
        """Probability of each class, for each sequence or with `return_sequences` each step.

        ``cross_val_predict`` cannot put together probabilities of steps; it takes ``method="predict"`` then.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences.

        Returns
        -------
        p : array of shape (n, n_classes); with `return_sequences` (n, steps, n_classes), or for a collection an \
object array of n arrays (steps, n_classes)
            Columns in the order of ``classes_``.
        """
        sequences, rows = self._predict_rows(X, self._probabilities)
        return self._in_form_of(sequences, rows)

    def score(self, X, y, sample_weight=None):
        """Accuracy over sequences, or with `return_sequences` over all steps.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float
        """
        return self._score(accuracy_score, X, y, sample_weight)


def _unmixed(y):
    """Labels of a list that holds strings and others as they are; NumPy would make strings of them all."""
    mixed = isinstance(y, list | tuple) and len({isinstance(label, str) for label in y}) > 1
    return np.array(y, dtype=object) if mixed else y
