"""RNNLanguageModel."""

from math import log
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_parameter_constraints
from sklearn.utils.validation import check_is_fitted

from skrnn._data.examples import Examples
from skrnn._data.features import atomic_fit
from skrnn._data.ragged import rows_of
from skrnn._data.sequences import Sequences
from skrnn._estimators.trainable import TrainableMixin
from skrnn._language.corpus import Corpus, Windows
from skrnn._language.sampling import Sampler
from skrnn._language.vocabulary import ANALYZERS, END, UNKNOWN, Vocabulary, collected, symbols_of, texts_of
from skrnn._network.network import RecurrentNetwork
from skrnn._network.objective import StreamObjective
from skrnn._training.loop import Stopping, train
from skrnn._training.losses import LOSSES

# Scores of symbols that are computed at a time
MAX_SCORES = 2**22
# Steps that a text is read at a time where it is scored
MAX_STEPS_PER_READ = 512

SAMPLING_CONSTRAINTS = {
    "n_tokens": [Interval(Integral, 0, None, closed="left")],
    "temperature": [Interval(Real, 0, None, closed="left")],
    "top_k": [None, Interval(Integral, 1, None, closed="left")],
    "top_p": [None, Interval(Real, 0, 1, closed="right")],
    "random_state": ["random_state"],
    "stream": ["boolean"],
}


class RNNLanguageModel(TrainableMixin, BaseEstimator):
    """Predict the next symbol of a text: score texts, continue them, generate new ones.

    Symbols are embedded, read by recurrent layers, and the next one is predicted by a softmax. Training reads several
    streams of text side by side, some steps of each for an update, and carries the states along (truncated
    backpropagation through time).

    Parameters
    ----------
    hidden_size : int or tuple of int, default=128
        Units of the recurrent layer, or of each of several stacked ones, from the input upwards.
    cell : {"rnn", "gru", "lstm", "skip_lstm"}, default="lstm"
        The kind of recurrent layer.
    activation : {"tanh", "relu", "logistic", "identity"}, default="tanh"
        For ``cell="rnn"``.
    reset_after : bool, default=True
        For ``cell="gru"``: whether the reset gate comes after the recurrent product.
    embedding_dim : int, default=32
        Numbers that a symbol is embedded as.
    analyzer : {"char", "word"} or callable, default="char"
        How a text is cut into symbols: characters; words and punctuation marks, without the space between them; or what
        a callable returns for the text. Texts that are lists of symbols already are taken as they are.
    min_frequency : int, default=1
        Symbols that occur less often in `fit` are unknown ones. With 1 the model meets no unknown symbol in training,
        and thinks one all but impossible; for words 2 or more is better.
    dropout : float, default=0.0
        Share of each layer's outputs that are set to 0 in training.
    recurrent_dropout : float, default=0.0
        Share of the states that are set to 0 in the recurrent products in training, the same ones in all steps of an
        update.
    bptt_steps : int, default=64
        Steps of each stream in an update; gradients go back no further.
    n_streams : int, default=32
        Streams of text that are read side by side: an update reads up to ``n_streams * bptt_steps`` symbols. Little
        text wants fewer, or an epoch has few updates.
    solver : {"adam", "adamw", "sgd", "rmsprop"}, default="adam"
        The optimizer. Embeddings of symbols that an update does not read stay as they are.
    alpha : float, default=1e-4
        Strength of the L2 penalty, or with "adamw" of the weight decay; biases and embeddings have none.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, default="constant"
        Schedule of the learning rate, as in :class:`RNNClassifier`, with symbols as samples.
    learning_rate_init : float, default=2e-3
        The initial learning rate.
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=50
        Greatest number of epochs.
    shuffle : bool, default=True
        Whether each epoch reads the texts in another order.
    random_state : int, RandomState instance or None, default=None
        Source of the initial parameters, the order of the texts, the validation split and dropout.
    tol : float, default=1e-4
        Training ends when the loss, or with early stopping the score, has not improved by this much, in nats a symbol,
        for `n_iter_no_change` epochs.
    verbose : bool, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` goes on from the parameters and with the vocabulary of the last call.
    momentum : float, default=0.9
        Of "sgd".
    nesterovs_momentum : bool, default=True
        Whether "sgd" uses Nesterov's momentum.
    early_stopping : bool, default=False
        Whether to hold out some of the texts, to stop when their score does not improve any more, and to keep the
        parameters that have scored best.
    validation_fraction : float, default=0.1
        Share of the texts that is held out.
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay rates of the moments of "adam" and "adamw".
    epsilon : float, default=1e-8
        Keeps "adam", "adamw" and "rmsprop" from dividing by 0.
    n_iter_no_change : int, default=10
        Epochs without improvement before training ends.
    max_grad_norm : float or None, default=None
        Gradients with a greater Euclidean norm are scaled down to it.

    Attributes
    ----------
    symbols_ : object array of shape (V,)
        The symbols by number, then "<unknown>", for all others, and "<end>".
    vocabulary_ : dict
        The number of each known symbol.
    loss_, best_loss_ : float
        Mean loss of the last epoch, in nats a symbol and with the penalty, and the least of all; the latter None with
        early stopping.
    loss_curve_ : list of float
        Of each epoch.
    validation_scores_ : list of float, or None
        Scores of the texts that were held out.
    best_validation_score_ : float, or None
    n_iter_ : int
        Epochs.
    t_ : int
        Symbols seen.
    grad_norm_curve_ : list of float
        Mean norm of the gradients of each epoch.
    n_clipped_ : int
        Updates whose gradient was scaled down.
    out_activation_ : str
        "softmax".
    parameters_ : dict of arrays
        The parameters by name.

    See Also
    --------
    skrnn.preprocessing.SequenceVectorizer : Texts as input of a classifier.

    Notes
    -----
    A text is read as begin, s₁, …, sₙ and predicted as s₁, …, sₙ, end, so that an empty text has a probability, too,
    and the probabilities of all texts sum to one. Training cuts a text that is longer than its share of the streams, or
    than 16 · `bptt_steps`, into pieces, each read as if the text began with it. Computes in float32.

    Scores are comparable between models of the same symbols alone: the more of them are "<unknown>", the easier it is.

    References
    ----------
    Mikolov, T. et al. (2010). Recurrent neural network based language model. Interspeech.

    Williams, R. J. and Peng, J. (1990). An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories. Neural Computation 2, 490-501. Truncated backpropagation through time.

    Examples
    --------
    >>> from skrnn import RNNLanguageModel
    >>> texts = ["anna", "hanna", "hannah", "nana"] * 20
    >>> model = RNNLanguageModel(16, n_streams=4, learning_rate_init=0.02, tol=1e-2, random_state=0).fit(texts)
    >>> model.perplexity(["hannah"]) < model.perplexity(["abba"])
    True
    >>> str(model.symbols_[model.predict_proba(["hann"])[0].argmax()])
    'a'
    >>> model.generate(20, random_state=0) in texts
    True
    """

    _parameter_constraints: ClassVar = TrainableMixin._parameter_constraints | {
        "embedding_dim": [Interval(Integral, 1, None, closed="left")],
        "analyzer": [StrOptions(set(ANALYZERS)), callable],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        "bptt_steps": [Interval(Integral, 1, None, closed="left")],
        "n_streams": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, hidden_size=128, *, cell="lstm", activation="tanh", reset_after=True, embedding_dim=32, analyzer="char",
        min_frequency=1, dropout=0.0, recurrent_dropout=0.0, bptt_steps=64, n_streams=32, solver="adam", alpha=1e-4,
        learning_rate="constant", learning_rate_init=2e-3, power_t=0.5, max_iter=50, shuffle=True, random_state=None,
        tol=1e-4, verbose=False, warm_start=False, momentum=0.9, nesterovs_momentum=True, early_stopping=False,
        validation_fraction=0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-8, n_iter_no_change=10, max_grad_norm=None,
    ):
        self.hidden_size = hidden_size
        self.cell = cell
        self.activation = activation
        self.reset_after = reset_after
        self.embedding_dim = embedding_dim
        self.analyzer = analyzer
        self.min_frequency = min_frequency
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.bptt_steps = bptt_steps
        self.n_streams = n_streams
        self.solver = solver
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_grad_norm = max_grad_norm

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, X_val=None):
        """Fit the model to texts.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts: many short ones, or a few long ones. Symbols are hashable: str, numbers.
        y : None
            Ignored.
        X_val : like X, optional
            For `early_stopping`: the texts to validate on, in the place of some of X.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the text, or when training diverges. The estimator then stays
            as it was.
        """
        with atomic_fit(self) as model:
            resume = self.warm_start and hasattr(self, "_theta")
            X = collected(X)
            if not resume:
                vars(model).pop("_analyzer", None)
            texts, validation = model._split(model._texts(X), X_val)
            corpus = model._prepare(X, texts, resume=resume)
            model._start(corpus, resume=resume)
            model._train(corpus, validation, resume=resume)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, *, symbols=None, ends=True):
        """Go on with one epoch over some texts.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts.
        y : None
            Ignored.
        symbols : iterable of symbols, optional
            In the first call: all that are to be known, also those which only later texts have; None for those of X.
            What is not known is an unknown symbol.
        ends : bool, default=True
            Whether the texts end where they end. False for pieces of longer texts, which may be cut anywhere.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            As `fit`; and when `symbols` in a later call are others than in the first.
        """
        with atomic_fit(self) as model:
            self._validate_params()
            validate_parameter_constraints({"ends": ["boolean"]}, {"ends": ends}, caller_name="partial_fit")
            if self.early_stopping:
                raise ValueError("partial_fit does not support early_stopping=True: it sees no data to hold out")
            X, resume = collected(X), hasattr(self, "_theta")
            corpus = model._prepare(X, model._texts(X), resume=resume, symbols=symbols, ends=ends)
            if resume:
                model._copy_training_state()
            else:
                model._start(corpus, resume=False)
            model._one_epoch(*model._objective(corpus), resume=resume)
        return self

    def _texts(self, X, name="X"):
        """The symbols of texts, as they were cut in the first fit."""
        return texts_of(X, getattr(self, "_analyzer", self.analyzer), name)

    def _split(self, texts, X_val):
        """The texts to train on, and those to validate on or None."""
        if not self.early_stopping:
            if X_val is not None:
                raise ValueError("X_val is what early_stopping=True validates on; set it, or leave it out")
            return texts, None
        if X_val is not None:
            return texts, self._texts(X_val, "X_val")
        if len(texts) < 2:
            raise ValueError(
                "early_stopping=True cannot hold out some of one text: cut it, or pass what follows it as X_val"
            )
        try:
            return train_test_split(
                texts, test_size=self.validation_fraction, random_state=check_random_state(self.random_state)
            )
        except ValueError as error:
            raise ValueError(
                f"early_stopping=True cannot hold out validation_fraction={self.validation_fraction} of {len(texts)} "
                f"texts: {error}"
            ) from error

    def _prepare(self, X, texts, *, resume, symbols=None, ends=True):
        """The texts as numbers; sets the vocabulary and the network."""
        self._check_decay()
        hidden_size = self._check_hidden_size()
        if not resume:
            self._set_vocabulary(X, texts, symbols)
        elif self.analyzer != self._analyzer:
            raise ValueError(
                f"{type(self).__name__} cannot go on with analyzer={self.analyzer!r}, it was fitted with "
                f"{self._analyzer!r}: set it back, or clone it"
            )
        elif symbols is not None and Vocabulary.given(symbols, self.analyzer).numbers != self._vocabulary.numbers:
            raise ValueError("symbols are others than in the first call of partial_fit: leave them out, or clone")
        n_symbols = len(self._vocabulary)
        network = RecurrentNetwork(
            int(self.embedding_dim), hidden_size, n_symbols, self.cell, self.activation, self.reset_after,
            bidirectional=False, per_step=True, n_categories=n_symbols,
        )
        if resume and network.layout.shapes != self._network.layout.shapes:
            raise ValueError(
                f"{type(self).__name__} cannot go on with parameters of the shapes {network.layout.shapes}, it was "
                f"fitted with {self._network.layout.shapes}: set hidden_size, cell and embedding_dim back, or clone it"
            )
        self._network, self._loss = network, LOSSES["log_loss"]()
        corpus = Corpus(texts, self._vocabulary, ends)
        if not len(corpus.lengths):
            raise ValueError("X has no symbols, and without ends there is nothing to predict: expected texts")
        return corpus

    def _start(self, corpus, *, resume):
        """Parameters to start from; symbols that the corpus does not have are embedded as zeros."""
        self._initialize(np.float32, resume=resume)
        if not resume:
            unseen = np.bincount(corpus.inputs, minlength=len(self._vocabulary)) == 0
            self._network.layout.views(self._theta)["embedding.E"][unseen] = 0

    def _set_vocabulary(self, X, texts, symbols):
        if symbols is None:
            self._vocabulary = Vocabulary.of(texts, self.min_frequency)
        else:
            self._vocabulary = Vocabulary.given(symbols, self.analyzer)
        self._analyzer = self.analyzer
        self.vocabulary_ = dict(self._vocabulary.numbers)
        self.symbols_ = np.empty(len(self._vocabulary), dtype=object)
        self.symbols_[:] = [*self._vocabulary.symbols, UNKNOWN, END]
        # What puts generated symbols together, where a text is a str
        strings = not callable(self.analyzer) and all(isinstance(text, str) for text in X)
        strings &= all(isinstance(symbol, str) for symbol in self.vocabulary_)
        self._joint = ANALYZERS[self.analyzer][1] if strings else None

    def _objective(self, corpus):
        """What to minimise, and the windows that are an epoch of it."""
        order = self._random_state if self.shuffle else None
        windows = Windows(corpus.starts, corpus.lengths, int(self.n_streams), int(self.bptt_steps), order)
        # A piece of a text is read as if the text began with it.
        inputs = corpus.inputs.copy()
        inputs[windows.starts] = self._vocabulary.boundary
        sequences = _sequences(inputs, None, corpus.lengths, self._theta.dtype)
        objective = StreamObjective(
            self._network, Examples(sequences, corpus.targets, None, True), self._loss, windows.n_streams,
            windows.n_steps,
            0.0 if self.solver == "adamw" else float(self.alpha), float(self.dropout), float(self.recurrent_dropout),
            self._random_state,
        )
        return objective, windows

    def _train(self, corpus, validation, *, resume):
        objective, windows = self._objective(corpus)
        validate = None
        if validation is not None:
            held_out = Corpus(validation, self._vocabulary)

            def validate(theta):
                return float(self._log_likelihoods(theta, held_out).mean())

        stopping = Stopping(int(self.max_iter), self.tol, int(self.n_iter_no_change), validate)
        if validate is not None and resume:
            stopping.start(self._theta, self._history)
        self._optimizer, self._schedule = self._new_optimizer()
        train(
            self._theta, objective, self._optimizer, self._schedule, self._history, stopping, windows,
            max_grad_norm=self.max_grad_norm, verbose=self.verbose,
        )
        if stopping.best_theta is not None:
            self._theta[:] = stopping.best_theta
        self._set_fitted_attributes()

    def _scores(self, theta, corpus):
        """In parts: the rows of steps, their texts, where the steps of each end among these, and their scores."""
        n = len(corpus.lengths)
        stretch = max(1, min(MAX_STEPS_PER_READ, MAX_SCORES // self._network.n_outputs))
        at_a_time = max(1, MAX_SCORES // (self._network.n_outputs * min(stretch, int(corpus.lengths.max()))))
        for first in range(0, n, at_a_time):
            some = np.arange(first, min(first + at_a_time, n))
            state = np.zeros((len(some), self._network.state_width), theta.dtype)
            for begin in range(0, int(corpus.lengths[some].max()), stretch):
                going_on = corpus.lengths[some] > begin
                some, state = some[going_on], state[going_on]
                starts, lengths = corpus.starts[some] + begin, np.minimum(corpus.lengths[some] - begin, stretch)
                scores, state = _read(self._network, theta, corpus.inputs, starts, lengths, state)
                yield rows_of(starts, lengths), some, np.cumsum(lengths), scores

    def _log_likelihoods(self, theta, corpus):
        """Log-likelihood of the target of each step, (total,) float64."""
        out = np.empty(len(corpus))
        for rows, _, _, scores in self._scores(theta, corpus):
            out[rows] = _likelihoods(scores, corpus.targets[rows])
        return out

    def score(self, X, y=None):
        """Mean log-likelihood of a symbol, in nats; ends count as symbols.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts; an empty one is nothing but its end. Unknown symbols have a probability together.
        y : None
            Ignored.

        Returns
        -------
        score : float
            The greater the better; −ln V when all V symbols are equally likely. Only comparable between models with the
            same `symbols_`.

        Raises
        ------
        TypeError, ValueError
            When X is not a collection of texts, naming the index, or empty.
        """
        corpus = self._corpus(X)
        return float(self._log_likelihoods(self._theta, corpus).mean())

    def score_samples(self, X):
        """Log-likelihood of each text with its end, in nats.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts.

        Returns
        -------
        log_likelihoods : float64 array of shape (n,)
            The exponentials of those of all possible texts sum to 1.

        Raises
        ------
        TypeError, ValueError
            As `score`.
        """
        corpus = self._corpus(X)
        return np.add.reduceat(self._log_likelihoods(self._theta, corpus), corpus.starts)

    def perplexity(self, X):
        """The number of equally likely symbols that would be as hard to predict: exp(−`score`).

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts.

        Returns
        -------
        perplexity : float

        Raises
        ------
        TypeError, ValueError
            As `score`.
        """
        return float(np.exp(-self.score(X)))

    def bits_per_token(self, X):
        """Bits that coding a symbol takes on average: −`score` / ln 2.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts.

        Returns
        -------
        bits : float

        Raises
        ------
        TypeError, ValueError
            As `score`.
        """
        return -self.score(X) / log(2)

    def symbol_log_likelihoods(self, text, *, initial_state=None, return_state=False, end=True):
        """Log-likelihood of each symbol of a text, given those before it, in nats.

        Parameters
        ----------
        text : str, or sequence of symbols
        initial_state : array of shape (width,), optional
            To go on from, where an earlier call has ended; None begins a text.
        return_state : bool, default=False
            Also return the state behind the text's last symbol.
        end : bool, default=True
            Whether the end is the last symbol.

        Returns
        -------
        log_likelihoods : float64 array of shape (symbols,), or with the end (symbols + 1,)
        state : array of shape (width,)
            Only with `return_state`: what the model has read, with the last symbol, which it reads next.

        Raises
        ------
        TypeError, ValueError
            When the text is none, or the state not one of this model.

        Examples
        --------
        A text in two pieces:

        >>> import numpy as np
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, max_iter=3, tol=1.0, n_iter_no_change=1, random_state=0).fit(["abcabcabc"] * 20)
        >>> first, state = model.symbol_log_likelihoods("abca", return_state=True, end=False)
        >>> second = model.symbol_log_likelihoods("bc", initial_state=state)
        >>> bool((np.concatenate([first, second]) == model.symbol_log_likelihoods("abcabc")).all())
        True
        """
        check_is_fitted(self)
        targets = self._numbers(text, "text")
        state = self._zero_state() if initial_state is None else self._check_state(initial_state)
        inputs = np.concatenate([state[-1:].astype(np.intp), targets])
        parts, hidden = [], np.ascontiguousarray(state[np.newaxis, :-1])
        for begin in range(0, len(targets), MAX_STEPS_PER_READ):
            some = slice(begin, min(begin + MAX_STEPS_PER_READ, len(targets)))
            scores, hidden = _read(self._network, self._theta, *_one(inputs[some]), hidden)
            parts.append(_likelihoods(scores, targets[some]))
        if end:
            scores, _ = _read(self._network, self._theta, *_one(inputs[-1:]), hidden)
            parts.append(_likelihoods(scores, np.array([self._vocabulary.boundary])))
        out = np.concatenate([np.empty(0), *parts])
        return (out, np.append(hidden[0], self._theta.dtype.type(inputs[-1]))) if return_state else out

    def predict_proba(self, prefixes):
        """How likely each symbol is to come next.

        Parameters
        ----------
        prefixes : iterable of n str, or of n sequences of symbols
            Beginnings of texts, which may be empty.

        Returns
        -------
        probabilities : float64 array of shape (n, V)
            In the order of `symbols_`.

        Raises
        ------
        TypeError, ValueError
            When it is not a collection of texts, naming the index, or empty.
        """
        corpus = self._corpus(prefixes, "prefixes")
        last = np.empty((len(corpus.lengths), len(self._vocabulary)))
        for _, texts, ends, scores in self._scores(self._theta, corpus):
            last[texts] = scores[ends - 1]
        return softmax(last, axis=1)

    def generate(
        self, n_tokens=100, prefix="", *, temperature=1.0, top_k=None, top_p=None, random_state=None, stream=False
    ):
        """Continue a text, symbol by symbol, each drawn by its probability, until the end is drawn.

        Parameters
        ----------
        n_tokens : int, default=100
            The greatest number of symbols.
        prefix : str, or sequence of symbols, default=""
            What to continue; empty begins a text.
        temperature : float, default=1.0
            Log-probabilities are divided by it: below 1 what is likely gets likelier, and 0 always takes the likeliest.
        top_k : int, default=None
            Draw one of so many of the likeliest symbols.
        top_p : float, default=None
            Draw one of the likeliest symbols that together are as likely as this, of as few as are needed.
        random_state : int, RandomState instance or None, default=None
            Source of what is drawn; pass an int for the same text each time.
        stream : bool, default=False
            Whether to return an iterator that draws each symbol when it is asked for.

        Returns
        -------
        text : str, list of symbols, or iterator over symbols
            What comes behind the prefix; a list where the model was fitted to lists of symbols or has an analyzer of
            one's own. With "word", words with a space between them. "<unknown>" is never drawn.

        Raises
        ------
        TypeError, ValueError
            When an argument cannot be used.

        References
        ----------
        Holtzman, A. et al. (2020). The curious case of neural text degeneration. ICLR. `top_p`.
        """
        check_is_fitted(self)
        asked = {"n_tokens": n_tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p}
        asked |= {"random_state": random_state, "stream": stream}
        validate_parameter_constraints(SAMPLING_CONSTRAINTS, asked, caller_name="generate")
        sampler = Sampler(
            float(temperature), top_k, top_p, check_random_state(random_state), [self._vocabulary.unknown]
        )
        # All that it needs is bound here: a later fit does not change what a stream goes on with.
        inputs = np.append(self._vocabulary.boundary, self._numbers(prefix, "prefix"))
        symbols = _generated(self._network, self._theta, self._vocabulary, inputs, int(n_tokens), sampler)
        if stream:
            return symbols
        return list(symbols) if self._joint is None else self._joint.join(symbols)

    def _zero_state(self):
        """The state (width,) before a text."""
        state = np.zeros(self._network.state_width + 1, self._theta.dtype)
        state[-1] = self._vocabulary.boundary
        return state

    def _check_state(self, state):
        state, expected = np.asarray(state), self._zero_state()
        if state.shape != expected.shape or state.dtype != expected.dtype:
            raise ValueError(
                f"initial_state has shape {state.shape} and dtype {state.dtype}, expected {expected.shape} and "
                f"{expected.dtype}: one that this model has returned"
            )
        last = state[-1]
        if not np.isfinite(state).all() or not (0 <= last < len(self.symbols_) and last == int(last)):
            raise ValueError(
                "initial_state is none that this model has returned: it is not finite, or its last number, "
                f"{last}, is not that of a symbol"
            )
        return state

    def _corpus(self, X, name="X"):
        """Texts as numbers."""
        check_is_fitted(self)
        return Corpus(self._texts(X, name), self._vocabulary)

    def _numbers(self, text, name):
        """One text as numbers."""
        analyze = self._analyzer if callable(self._analyzer) else ANALYZERS[self._analyzer][0]
        return self._vocabulary.encode(symbols_of(text, analyze, name))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "density_estimator"
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _generated(network, theta, vocabulary, inputs, n_tokens, sampler):
    """Symbols one by one, behind the inputs."""
    hidden = np.zeros((1, network.state_width), theta.dtype)
    for begin in range(0, len(inputs), MAX_STEPS_PER_READ):
        scores, hidden = _read(network, theta, *_one(inputs[begin : begin + MAX_STEPS_PER_READ]), hidden)
    engine, number = network.engine(theta.dtype), np.zeros(1, np.intp)
    engine.pack_weights(theta)
    for _ in range(n_tokens):
        number[0] = sampler.draw(scores[-1])
        if number[0] == vocabulary.boundary:
            return
        yield vocabulary.symbols[number[0]]
        scores, hidden = network.step(engine, theta, number, hidden, packed=True)


def _read(network, theta, inputs, starts, lengths, state):
    """Scores of the steps of sequences, (steps, V), and the states (n, width) after them."""
    final = np.empty_like(state)
    sequences = _sequences(inputs, starts, lengths, theta.dtype)
    return network.forward(theta, sequences, np.arange(len(starts)), state, final), final


def _one(inputs):
    """Inputs, starts and lengths of a single sequence."""
    return inputs, np.zeros(1, np.intp), np.array([len(inputs)])


def _sequences(inputs, starts, lengths, dtype):
    """Sequences of symbols as the kernels read them; without starts one after the other."""
    return Sequences(np.empty((0, 1), dtype), lengths, "ragged", categories=inputs, starts=starts)


def _likelihoods(scores, targets):
    return log_softmax(scores.astype(np.float64), axis=1)[np.arange(len(targets)), targets]
