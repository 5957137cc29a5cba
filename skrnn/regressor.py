"""RNNRegressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from skrnn._base import BaseRNN
from skrnn._examples import check_finite_rows, check_one_each, first_not_finite_row, step_rows
from skrnn._numbers import as_numbers
from skrnn.losses import LOSSES


class RNNRegressor(RegressorMixin, BaseRNN):
    """Recurrent neural network that predicts numbers from sequences, one set a sequence or one a step.

    The network reads a sequence step by step through one or more recurrent layers; a linear layer on the last state (or
    on the state of each step) gives the prediction. It is trained on half the mean squared error by backpropagation
    through time. Scale y to about unit variance, for instance with ``TransformedTargetRegressor``.

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
        False: targets for each sequence. True: targets for each step. It is never guessed from y.
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
        Targets of a sequence or step.
    out_activation_ : str
        "identity".
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
    The mean of each sequence, from sequences of different lengths:

    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(steps, 1)) for steps in rng.integers(5, 10, size=60)]
    >>> y = [x.mean() for x in X]
    >>> net = RNNRegressor(8, cell="gru", batch_size=10, learning_rate_init=0.02, tol=1e-3, random_state=0)
    >>> round(net.fit(X, y).score(X, y), 1)
    1.0
    """

    def _target_rows(self, y, sequences, per_step):
        if per_step:
            rows = step_rows(y, sequences)
        else:
            check_one_each(y)
            rows = as_numbers(y, "y")
        if rows.ndim not in (1, 2):
            raise ValueError(
                f"y has shape {rows.shape}, expected (n,) or (n, outputs); for targets of every step use "
                "return_sequences=True"
            )
        if 0 in rows.shape:
            raise ValueError(f"y has shape {rows.shape}, expected at least one output")
        check_finite_rows(rows, sequences, per_step)
        return rows

    def _encode_targets(self, rows, sequences):
        self._one_column = rows.ndim == 1
        dtype = sequences.values.dtype
        with np.errstate(over="ignore"):
            targets = np.require(rows.reshape(len(rows), -1), dtype, ["C", "A"])
        bad = first_not_finite_row(targets)
        if bad is not None:
            where = sequences.label("y", bad, self.return_sequences)
            raise ValueError(f"{where} is too large for {dtype}, the dtype of X; scale y, or pass X as float64")
        return targets, targets.shape[1], "squared_error"

    def _decode(self, scores):
        rows = LOSSES[self._loss].predict(scores)
        return rows[:, 0] if self._one_column else rows

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination R² over sequences, or with `return_sequences` over all steps.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float
        """
        return self._score(r2_score, X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
