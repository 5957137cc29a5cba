"""RNNClassifier."""

from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if

from skrnn._estimators.base import BaseRNN, in_epochs
from skrnn._estimators.label_targets import LabelTargets, announced_classes, known_targets, same_classes
from skrnn._estimators.shared_parameters import Parameter, flag, with_parameters
from skrnn._messages import shown
from skrnn._pickling import stored_estimator
from skrnn._sklearn import StrOptions, checks_parameters


@stored_estimator
@with_parameters(
    return_sequences=flag(
        "False: one label per sequence. True: one label per step, scored by `make_sequence_scorer` in searches, since "
        "scikit-learn's own scorers are for one label per sample. It is never guessed from y."
    ),
    class_weight=Parameter(
        [StrOptions({"balanced"}), dict, list, None], 'dict, list of dict, "balanced" or None',
        'Weights of the classes, {label: weight}, 1 for those without; "balanced" makes them inverse to how often a '
        "class occurs, among sequences or, with `return_sequences`, among steps. A class that y lacks may have one, "
        "if all classes of y have one. For several labels, or columns of classes, a list with a dict for each; a row "
        "has the product of the weights of its labels, of which those that are not known have 1.",
    ),
)
class RNNClassifier(ClassifierMixin, BaseRNN):
    """Recurrent neural network that classifies sequences, or every step of them.

    The network reads a sequence step by step through one or more recurrent layers; a linear layer on what `pooling`
    says of their outputs (or on the output of each step) gives the log-odds. It is trained on the log loss by
    backpropagation through time. X needs no scaling: see `standardize`.

    A y of zeros and ones with a column for each of several labels makes it a multilabel classifier. Any other y of
    several columns holds as many targets, each with its own classes; the loss is the mean of their log losses.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    classes_ : array of shape (n_classes,), or list of arrays
        The labels; for several labels at once their numbers. For several columns of classes a list with those of each.
    loss_ : float
        Loss of the last epoch, in the unit of `loss_curve_`.
    best_loss_ : float or None
        Least loss of an epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch. It is the log loss in nats, the mean over the sequences, or the steps, of the epoch as the
        parameters were before each update; weighted by `sample_weight` and `class_weight`, without the penalty.
    penalty_curve_ : list of float
        The mean penalty of each epoch, in the same unit; 0 with the solver "adamw". Training minimizes the sum of both.
    validation_loss_curve_ : list of float or None
        Loss of what is held out after each epoch, in the same unit and weighted in the same way, without dropout; with
        `early_stopping`. Infinite where `y_val` has a label that y lacks.
    validation_scores_ : list of float or None
        Score of what is held out after each epoch, with `early_stopping`; the greater the better. With
        ``scoring="loss"`` it is the negative of `validation_loss_curve_`, as in HistGradientBoostingClassifier; else
        what the scorer returned.
    best_validation_score_ : float or None
        The best of them.
    best_iter_ : int
        The epoch whose parameters were kept, the first being 1: with `early_stopping` that of the best score, else the
        last one.
    grad_norm_curve_ : list of float
        Mean gradient norm of each epoch, before clipping.
    n_clipped_ : int
        Updates whose gradient was clipped.
    n_iter_ : int
        Epochs.
    max_iter_ : int
        What `max_iter` was in the last training, as a number also where it is "auto".
    t_ : int
        Sequences seen in training.
    n_outputs_ : int
        Outputs of the network: 1 for two classes, else the number of classes or labels; for several columns of classes
        the sum of those of each.
    out_activation_ : str or list of str
        "logistic" for two classes or several labels, else "softmax"; a list for several columns of classes.
    parameters_ : mapping of str to array
        The fitted weights by name; what is assigned to a name is checked and set, as by `set_parameters`.
    embeddings_ : dict of str to array of shape (n_categories, dim)
        What is learned of each categorical feature, by its name.
    categories_ : dict of str to array of shape (n_categories,)
        What the rows of `embeddings_` stand for; the last is "unseen".
    X_mean_, X_scale_ : array of shape (n_features,), or None
        With `standardize`, what is subtracted from each feature of a step, and what it is then divided by; a constant
        feature has the scale 1. The time (`times`) is left out. None for steps that are categories.
    static_mean_, static_scale_ : array of shape (n_static_numbers,), or None
        With `standardize`, the same of the static numbers, over the sequences with weight; None where X has none.
    patch_size_, patch_stride_ : int
        Steps that the network reads at a time, and from one such patch to the next; 1 and 1 where it reads single ones.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Column names, when X was a data frame with string names.

    Notes
    -----
    The computing dtype follows X: float32 stays float32, everything else is float64. The result has the same bits for
    any number of threads, and the prediction of a sequence does not depend on which others are predicted with it.

    ``Ctrl-C`` ends training: `fit` and `partial_fit` raise ``KeyboardInterrupt``, which also ends a search around them.
    The estimator is then fitted as far as it got; with `early_stopping` it has the best parameters so far. Before the
    first update it stays as it was.

    References
    ----------
    {cell_references}

    Kingma & Ba (2015), Adam. Loshchilov & Hutter (2019), Decoupled weight decay (AdamW). Dozat (2016), Incorporating
    Nesterov momentum into Adam. Tieleman & Hinton (2012), RMSprop. Liu & Nocedal (1989), On the limited memory BFGS
    method. Loshchilov & Hutter (2017), SGDR (cosine). Goyal et al. (2017), Accurate, large minibatch SGD (warm-up).
    Smith & Topin (2018), Super-convergence (one cycle). Izmailov et al. (2018), Averaging weights leads to wider optima
    and better generalization. Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural
    networks. Gal & Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(steps, 1)) for steps in rng.integers(5, 10, size=60)]
    >>> y = ["up" if x[0, 0] > 0 else "down" for x in X]
    >>> net = RNNClassifier(8, random_state=0)
    >>> net.fit(X[:40], y[:40]).predict(X[:3]).tolist() == y[:3]
    True
    >>> net.predict_proba(X[40:]).shape
    (20, 2)

    Two targets at once, each with its own classes:

    >>> y = [[up, min(len(x) // 3, 2)] for x, up in zip(X, y)]
    >>> net = RNNClassifier(8, random_state=0).fit(X, y)
    >>> net.predict(X[:2]).tolist() == y[:2]
    True
    >>> [p.shape for p in net.predict_proba(X)]
    [(60, 2), (60, 2)]
    """

    _targets_type = LabelTargets

    def __init__(
        self,
        hidden_size=32,
        *,
        cell="gru",
        activation="tanh",
        reset_after=True,
        bidirectional=False,
        return_sequences=False,
        pooling="last_mean_max",
        static_to="both",
        n_steps=None,
        patch_size="auto",
        patch_stride=None,
        embedding_dim=None,
        n_categories=None,
        categorical_features="from_dtype",
        missing="error",
        times=None,
        standardize=True,
        dropout=0.0,
        recurrent_dropout=0.0,
        class_weight=None,
        solver="adam",
        alpha=1e-2,
        batch_size="auto",
        learning_rate="auto",
        learning_rate_init=3e-3,
        power_t=0.5,
        max_iter="auto",
        average=0.0,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        scoring="loss",
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-4,
        n_iter_no_change="auto",
        max_fun=15000,
        max_grad_norm=None,
        truncated_bptt_steps=None,
    ):
        super().__init__(
            hidden_size=hidden_size, cell=cell, activation=activation, reset_after=reset_after,
            bidirectional=bidirectional, return_sequences=return_sequences, pooling=pooling, static_to=static_to,
            n_steps=n_steps, patch_size=patch_size, patch_stride=patch_stride, embedding_dim=embedding_dim,
            n_categories=n_categories, categorical_features=categorical_features, missing=missing, times=times,
            standardize=standardize, dropout=dropout, recurrent_dropout=recurrent_dropout, solver=solver, alpha=alpha,
            batch_size=batch_size, learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t,
            max_iter=max_iter, average=average, shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose,
            warm_start=warm_start, momentum=momentum, nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping, scoring=scoring, validation_fraction=validation_fraction, beta_1=beta_1,
            beta_2=beta_2, epsilon=epsilon, n_iter_no_change=n_iter_no_change, max_fun=max_fun,
            max_grad_norm=max_grad_norm, truncated_bptt_steps=truncated_bptt_steps,
        )
        self.class_weight = class_weight

    @available_if(in_epochs)
    @checks_parameters
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One epoch over these sequences, from where the last call, or `fit`, left.

        The first call decides what later calls keep: the units of X with `standardize`, and the size of patches. So
        it should have more than a few sequences.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like of shape (n_classes,), or list of them, optional
            All labels that there will be; needed in the first call. For several columns of classes a list with those of
            each. With `return_sequences`, what stands for no label (−1 among integers, NaN, None) is none of them.

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
        >>> net = RNNClassifier(8, learning_rate_init=0.02, random_state=0)
        >>> for _ in range(20):
        ...     for part in (slice(30), slice(30, 60)):
        ...         net = net.partial_fit(X[part], X[part, 0, 0] > 0, classes=[False, True])
        >>> net.n_iter_, bool(net.score(X, X[:, 0, 0] > 0) > 0.9)
        (40, True)
        """
        of_columns = self.class_weight if isinstance(self.class_weight, list) else [self.class_weight]
        if any(isinstance(weights, str) for weights in of_columns):
            raise ValueError(
                "class_weight='balanced' needs all data at once, which partial_fit does not see; pass the weights as a "
                "dict, see sklearn.utils.class_weight.compute_class_weight"
            )
        fitted = hasattr(self, "classes_")
        if not fitted and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            classes = announced_classes(classes, self.return_sequences)
        if fitted and classes is not None and not same_classes(self.classes_, classes):
            raise ValueError(
                f"`classes={shown(classes)}` is not the same as on last call to partial_fit, was: "
                f"{shown(self.classes_)}"
            )
        return self._partial_fit(X, y, sample_weight, classes=classes)

    def set_parameters(self, parameters, *, classes=None, multilabel=False, X_units=None):
        """Give the net parameters that come from elsewhere, or that were changed.

        Parameters
        ----------
        parameters : dict of arrays, or any mapping
            By name, in the shapes of `parameters_`: some of those of a net that is fitted, all of those of one that is
            not. Such a net learns from their shapes how many features and outputs there are. It computes in float32 if
            all of them are, else in float64.
        classes : array-like of shape (n_classes,), or list of them, optional
            Of a net that is not fitted: the labels, in order; for several columns of classes a list with those of each.
            For two classes the head has one output, the log-odds of the second, else one for each class.
        multilabel : bool, default=False
            Of a net that is not fitted: each output is a label of its own, in the place of `classes`.
        X_units : pair of array-likes of shape (n_features,), optional
            Of a net that is not fitted, with `standardize`: the mean and the scale of each feature, ``X_mean_`` and
            ``X_scale_``. None: 0 and 1.

        Returns
        -------
        self : object
            With other parameters, but what else it has learned, and the state of the solver, as before. A net that was
            not fitted is so now: it predicts, and `partial_fit` and `warm_start` go on from here. Its ``n_iter_`` is 0.

        Raises
        ------
        ValueError, TypeError
            When a name, a shape or a value does not fit, naming it. The estimator then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> rng = np.random.default_rng(0)
        >>> shapes = {"layer0.W": (2, 9), "layer0.U": (3, 9), "layer0.b": (2, 9), "head.V": (3, 1), "head.c": (1,)}
        >>> parameters = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        >>> net = RNNClassifier(3, pooling="last").set_parameters(parameters, classes=["down", "up"])
        >>> net.predict(np.zeros((2, 4, 2))).shape
        (2,)
        """
        return self._set_parameters(parameters, classes=classes, multilabel=multilabel or None, X_units=X_units)

    def _known_targets(self, n_scores, classes, multilabel):
        return known_targets(n_scores, classes, multilabel, self.return_sequences)

    def _make_loss(self, targets):
        return targets.make_loss()

    def predict_proba(self, X, *, initial_state=None, return_state=False):
        """Probability of each class or label, for each sequence or with `return_sequences` each step.

        Of several columns of classes it is a list, as that of scikit-learn's classifiers of several outputs.

        For probabilities of steps write ``cross_val_predict(net, X, params={"y": y}, method="predict_proba")``: in its
        own argument y it looks for labels of samples.

        Parameters
        ----------
        X, initial_state, return_state
            As in `predict`.

        Returns
        -------
        p : array of shape (n, n_classes); with `return_sequences` (n, steps, n_classes), or for a collection an \
object array of n arrays (steps, n_classes)
            Columns in the order of ``classes_``. For several columns of classes a list with an array for each.
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
        >>> net = RNNClassifier(4, random_state=0).fit(X, np.arange(60) % 3)
        >>> net.predict_proba(X).shape, round(float(net.predict_proba(X)[0].sum()), 6)
        ((60, 3), 1.0)
        """
        return self._predict(X, probabilities, initial_state, return_state)

    def predict_proba_step(self, x, state):
        """Probabilities after one more step of each of some streams: the bits of `predict_proba` of the steps so far.

        `predict_step` returns the class with the greatest one, or the labels above one half.

        Parameters
        ----------
        x, state
            As in `predict_step`.

        Returns
        -------
        p : array of shape (n_classes,), or (n, n_classes) for n streams
            In the order of ``classes_``. For several columns of classes a list with an array for each.
        state : array of shape (n, width)
            For the next step.

        Raises
        ------
        ValueError, TypeError
            As `predict_step`.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNClassifier
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = RNNClassifier(4, random_state=0).fit(X, X[:, 0, 0] > 0)
        >>> state = net.initial_state()
        >>> for x in X[0]:
        ...     p, state = net.predict_proba_step(x, state)
        >>> bool((p == net.predict_proba(X[:1])[0]).all())
        True
        """
        return self._predict_step(x, state, probabilities, "predict_proba_step")

    def predict_log_proba(self, X, *, initial_state=None, return_state=False):
        """The logarithm of `predict_proba`, finite also where that is 0.

        Parameters
        ----------
        X, initial_state, return_state
            As in `predict`.

        Returns
        -------
        log_p : like what `predict_proba` returns
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
        >>> net = RNNClassifier(4, random_state=0).fit(X, np.arange(60) % 3)
        >>> bool(np.allclose(net.predict_log_proba(X), np.log(net.predict_proba(X))))
        True
        """
        return self._predict(X, log_probabilities, initial_state, return_state)

    def score(self, X, y, sample_weight=None):
        """Accuracy over sequences, or with `return_sequences` over all steps that have a label.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. Of several labels, or columns of classes, all that are known have to be right.

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
        >>> net = RNNClassifier(4, random_state=0).fit(X, y)
        >>> bool(net.score(X, y) == accuracy_score(y, net.predict(X)))
        True
        """
        return self._score(self._get_fitted(), accuracy_score, X, y, sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = tags.target_tags.multi_output = True
        if self.return_sequences:
            # To scikit-learn a classifier has one label per sample: for those with this tag check_cv stratifies by y
            # (and fails for lists of lists), scorers pick a column of predict_proba; displays, votes and stacks take
            # predictions for those of samples. Without it, KFold splits the sequences, and the others refuse the net.
            tags.estimator_type = tags.classifier_tags = None
        return tags


def probabilities(fitted, scores):
    """Probabilities for raw scores, a row for each."""
    return fitted.model.loss.predict(scores)


def log_probabilities(fitted, scores):
    """Their logarithms."""
    return fitted.model.loss.predict_log(scores)
