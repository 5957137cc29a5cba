"""RNNLanguageModel."""

from functools import partial
from math import log
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skrnn._estimators.shared_parameters import (
    SHARED,
    SOLVERS_TEXT,
    Parameter,
    choice,
    flag,
    fraction,
    options_text,
    positive_int,
    positive_int_or_auto,
    with_parameters,
)
from skrnn._estimators.splitting import hold_out
from skrnn._estimators.states import as_state
from skrnn._estimators.trainable import Fitted, TrainableMixin
from skrnn._language import scoring
from skrnn._language.corpus import Corpus
from skrnn._language.sampling import Sampler
from skrnn._language.shard import LocalTexts, TextShard
from skrnn._language.vocabulary import ANALYZERS, TextReading, Vocabulary, texts_in, texts_of
from skrnn._messages import shown
from skrnn._network.network import RecurrentNetwork
from skrnn._parameters import check_parameters
from skrnn._pickling import stored_estimator
from skrnn._sklearn import Interval, StrOptions, checks_parameters
from skrnn._training import epochs, run
from skrnn._training.epochs import AUTO
from skrnn._training.loop import Validation
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.report import check_verbose
from skrnn._training.schedules import SCHEDULES

SAMPLING_CONSTRAINTS = {
    "n_tokens": [Interval(Integral, 0, None, closed="left")],
    "temperature": [Interval(Real, 0, None, closed="left")],
    "top_k": [None, Interval(Integral, 1, None, closed="left")],
    "top_p": [None, Interval(Real, 0, 1, closed="right")],
    "random_state": ["random_state"],
    "stream": ["boolean"],
}


@stored_estimator
@with_parameters(
    embedding_dim=positive_int("Size of the vector that represents a symbol."),
    analyzer=Parameter(
        [StrOptions(set(ANALYZERS)), callable], f"{options_text(ANALYZERS)} or callable",
        "How a text is split into symbols: characters; words and punctuation marks, without the space between them and "
        "with the combining marks that follow them; or what a callable returns for the text. Texts that are lists of "
        "symbols already are taken as they are.",
    ),
    min_frequency=positive_int(
        "Symbols that occur less often in `fit` count as unknown. With 1 the model is trained without unknown symbols "
        "and gives them a probability of almost zero; for words 2 or more is better."
    ),
    initial_bias=Parameter(
        [StrOptions({"frequencies", "zero"})], '{"frequencies", "zero"}',
        'The biases of the softmax before training. "frequencies": the logarithms of how frequent the symbols are, of '
        'one that does not occur as of the rarest one, so that a new model is about as good as their frequencies. '
        '"zero": all symbols are about equally likely.',
    ),
    recurrent_dropout=fraction(
        "Fraction of the hidden state that is set to zero in the recurrent products in training: the same units at all "
        "steps of an update (Gal & Ghahramani 2016)."
    ),
    truncated_bptt_steps=positive_int("Steps of each stream per update; the gradient goes back to the first of them."),
    n_streams=positive_int(
        "Streams of text that are read in parallel: an update reads up to ``n_streams * truncated_bptt_steps`` "
        "symbols. Short texts need fewer streams, since otherwise an epoch has few updates."
    ),
    solver=choice(
        OPTIMIZERS,
        f"The optimizer: {SOLVERS_TEXT}. Embeddings of symbols that an update does not read stay as they are.",
    ),
    learning_rate=choice(
        [AUTO, *SCHEDULES], "Schedule of the learning rate, as in :class:`RNNClassifier`, with symbols as samples."
    ),
    max_iter=positive_int_or_auto(
        f'Maximum number of epochs. "auto": epochs for about {epochs.UPDATES:,} updates, at least {epochs.MIN_EPOCHS} '
        f"and at most {epochs.MAX_EPOCHS:,} of them; an update reads a window of the streams. Of little text these are "
        "more readings than do good without `dropout` or `early_stopping`. With `partial_fit` these are the updates of "
        "the first call. `max_iter_` is the number."
    ),
    shuffle=flag("Take the texts in a new order in each epoch."),
    random_state=Parameter(
        ["random_state"], "int, RandomState instance or None",
        "Source of the initial parameters, the order of the texts, dropout and the validation split; pass an int for "
        "the same fit every time.",
    ),
    tol=Parameter(
        SHARED["tol"].constraint, "float",
        "An epoch is an improvement when it lowers what training minimizes, loss and penalty, below the least so far, "
        "or with `early_stopping` raises the best validation score, by this much, in nats per symbol.",
    ),
    warm_start=flag("Continue from the parameters and with the vocabulary of the last fit."),
    early_stopping=flag(
        "Hold out some of the texts, or take the validation data passed to `fit`, stop when the score on them does not "
        "improve, and keep the parameters of the best epoch."
    ),
    validation_fraction=fraction("Fraction of the texts that is held out.", closed="neither"),
)
class RNNLanguageModel(TrainableMixin, BaseEstimator):
    """Predict the next symbol of a text: score texts, continue them, generate new ones.

    Symbols are embedded, read by recurrent layers, and the next one is predicted by a softmax. Training reads several
    streams of text in parallel, `truncated_bptt_steps` of each per update, and carries the states from one update to
    the next (truncated backpropagation through time).

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    symbols_ : object array of shape (V,)
        The symbols in the order of their numbers, then "<unknown>", for all others, and "<end>". These two have more
        angle brackets, "<<end>>", if a text has such a symbol itself, so that no two symbols are the same.
    vocabulary_ : dict
        The number of each known symbol.
    loss_ : float
        Mean loss of the last epoch, in nats per symbol and without the penalty.
    best_loss_ : float or None
        The minimum loss of an epoch; None with `early_stopping`.
    loss_curve_ : list of float
        Loss of each epoch, in nats per symbol.
    penalty_curve_ : list of float
        The mean penalty of each epoch; 0 with the solver "adamw". Training minimizes the sum of both.
    validation_loss_curve_ : list of float or None
        Loss of the held-out texts after each epoch, in nats per symbol, without dropout; with `early_stopping`.
    validation_scores_ : list of float or None
        Its negative, what `score` returns.
    best_validation_score_ : float or None
        The best of them.
    best_iter_ : int
        The epoch whose parameters were kept, the first being 1: with `early_stopping` that of the best score, else the
        last one.
    n_iter_ : int
        The number of epochs.
    max_iter_ : int
        What `max_iter` was in the last training, as a number also where it is "auto".
    t_ : int
        The number of symbols seen in training.
    grad_norm_curve_ : list of float
        Mean gradient norm of each epoch, before clipping.
    n_clipped_ : int
        The number of updates whose gradient was clipped.
    out_activation_ : str
        "softmax".
    parameters_ : mapping of str to array
        The parameters by name; what is assigned to a name is checked and set, as by `set_parameters`.

    See Also
    --------
    skrnn.preprocessing.SequenceVectorizer : Texts as input of a classifier.

    Notes
    -----
    A text is read as begin, s₁, …, sₙ and predicted as s₁, …, sₙ, end, so that an empty text has a probability, too,
    and the probabilities of all texts sum to one. In training a text that is longer than a stream, or than
    16 · `truncated_bptt_steps`, is split into pieces, each of which is read as if the text began with it. Computes in
    float32.

    ``Ctrl-C`` ends training: `fit` and `partial_fit` raise ``KeyboardInterrupt``, and the model is then fitted as far
    as it got; with `early_stopping` it has the best parameters so far. Before the first update it stays as it was.

    Scores are comparable only between models with the same symbols: the more symbols are "<unknown>", the easier a text
    is to predict.

    References
    ----------
    Mikolov, T. et al. (2010). Recurrent neural network based language model. Interspeech.

    Williams, R. J. and Peng, J. (1990). An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories. Neural Computation 2, 490-501. Truncated backpropagation through time.

    Examples
    --------
    >>> from skrnn import RNNLanguageModel
    >>> texts = ["anna", "hanna", "hannah", "nana"] * 20
    >>> model = RNNLanguageModel(16, random_state=0).fit(texts)
    >>> model.perplexity(["hannah"]) < model.perplexity(["abba"])
    True
    >>> str(model.symbols_[model.predict_proba(["hann"])[0].argmax()])
    'a'
    >>> set(model.generate(20, random_state=0)) <= set("anh")
    True
    """

    def __init__(
        self, hidden_size=128, *, cell="lstm", activation="tanh", reset_after=True, embedding_dim=32, analyzer="char",
        min_frequency=1, initial_bias="frequencies", dropout=0.0, recurrent_dropout=0.0, truncated_bptt_steps=32,
        n_streams=32, solver="adam", alpha=1e-4, learning_rate="auto", learning_rate_init=4e-3, power_t=0.5,
        max_iter=30, average=0.0, shuffle=True, random_state=None, tol=1e-4, verbose=False, warm_start=False,
        momentum=0.9, nesterovs_momentum=True, early_stopping=False, validation_fraction=0.1, beta_1=0.9,
        beta_2=0.999, epsilon=1e-8, n_iter_no_change="auto", max_grad_norm=None,
    ):
        self.hidden_size = hidden_size
        self.cell = cell
        self.activation = activation
        self.reset_after = reset_after
        self.embedding_dim = embedding_dim
        self.analyzer = analyzer
        self.min_frequency = min_frequency
        self.initial_bias = initial_bias
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.truncated_bptt_steps = truncated_bptt_steps
        self.n_streams = n_streams
        self.solver = solver
        self.alpha = alpha
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.average = average
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

    @checks_parameters
    def fit(self, X, y=None, *, X_val=None):
        """Fit the model to texts.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts: many short ones, or a few long ones. Symbols are hashable: str, numbers.
        y : None
            Ignored.
        X_val : like X, optional
            For `early_stopping`: the texts to validate on, instead of some of X.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the text, or when training diverges. The estimator then stays
            as it was.
        KeyboardInterrupt
            After Ctrl-C. The estimator is then fitted as far as it got; before the first update it stays as it was.

        Examples
        --------
        >>> from skrnn import RNNLanguageModel
        >>> texts = ["anna", "hanna", "hannah", "nana"] * 20
        >>> model = RNNLanguageModel(16, random_state=0).fit(texts)
        >>> model.symbols_.tolist()
        ['a', 'h', 'n', '<unknown>', '<end>']
        """
        self._check_fit(X_val)
        resume = self._resumed()
        analyzer, X = self._analyzer(resume), texts_in(X)
        return self._fit_texts(LocalTexts(TextShard.of(X, analyzer)), resume, X, y, X_val)

    def _check_fit(self, X_val):
        """Check what X has no part in."""
        self._check_parameters()
        if X_val is not None and not self.early_stopping:
            raise ValueError("X_val is what early_stopping=True validates on; set it, or leave it out")

    def _resumed(self):
        """What an earlier fit has learned, from which this one goes on, or None."""
        return self._fitted if self.warm_start and self.__sklearn_is_fitted__() else None

    def _fit_texts(self, texts, resume, X, y, X_val):
        """Fit to the texts of X, wherever they are: from `resume` on, what an earlier fit has learned, or None."""
        used, held_out, X_val = self._split(texts, X_val)
        reading = self._read_texts(texts, used, resume)
        texts.encode(reading.vocabulary, used, held_out)
        network = self._make_network(reading, resume)
        parameters = vars(self)
        model = run.starting_model(resume and resume.model, network, LOSSES["log_loss"](), np.float32, parameters)
        if not resume:
            self._begin(model, texts)
        validate = self._validate(model, reading, texts, X_val)
        objective, windows = self._objective(model, texts)
        fitted = Fitted(model, reading)
        watch = self._watch(X, y, None, fitted)
        self._learn(fitted, lambda: run.train_model(model, objective, windows, parameters, validate, watch))
        return self

    @checks_parameters
    def partial_fit(self, X, y=None, *, symbols=None, ends=True):
        """Train for one epoch on some texts, from where the last call, or `fit`, left.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
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
        >>> import string
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0)
        >>> for part in ("the first part of a long text, ", "and the second"):
        ...     model = model.partial_fit([part], symbols=string.ascii_lowercase + " ,", ends=False)
        >>> model.n_iter_, model.t_
        (2, 45)
        """
        resume = self._check_partial_fit(ends)
        texts = LocalTexts(TextShard.of(texts_in(X), self._analyzer(resume)))
        return self._fit_part(texts, resume, symbols, ends)

    def _check_partial_fit(self, ends):
        """Check what X has no part in, and return what calls before have learned, or None."""
        check_parameters({"ends": ["boolean"]}, {"ends": ends}, "partial_fit")
        self._check_epoch()
        self._check_parameters()
        return self._fitted if self.__sklearn_is_fitted__() else None

    def _fit_part(self, texts, resume, symbols, ends):
        """`partial_fit` to texts, wherever they are."""
        every = np.arange(len(texts))
        reading = self._read_texts(texts, every, resume, symbols)
        texts.encode(reading.vocabulary, every, every[:0], ends)
        network = self._make_network(reading, resume)
        if not texts.n_predicted.any():
            raise ValueError("X has no symbols, and without ends there is nothing to predict: expected texts")
        parameters = vars(self)
        model = run.next_model(resume and resume.model, network, LOSSES["log_loss"](), np.float32, parameters)
        if not resume:
            self._begin(model, texts)
        objective, windows = self._objective(model, texts)
        self._learn(
            Fitted(model, reading), lambda: run.train_model_one_epoch(model, objective, windows, parameters)
        )
        return self

    def set_parameters(self, parameters, *, symbols=None):
        """Give the model parameters that come from elsewhere, or that were changed.

        Parameters
        ----------
        parameters : dict of arrays, or any mapping
            By name, in the shapes of `parameters_`: some of those of a model that is fitted, all of those of one that
            is not.
        symbols : iterable of symbols, optional
            Of a model that is not fitted: its symbols in order, ``symbols_[:-2]``. After the rows of these
            ``embedding.E`` has one for all other symbols, and the last one for the begin of a text; in ``head.c`` this
            is that of the end.

        Returns
        -------
        self : object
            With other parameters, but what else it has learned, and the state of the solver, as before. A model that
            was not fitted is so now, and `partial_fit` and `warm_start` go on from here. Its ``n_iter_`` is 0.

        Raises
        ------
        ValueError, TypeError
            When a name, a shape or a value does not fit, naming it. The estimator then stays as it was.

        Examples
        --------
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["anna", "hanna", "nana"] * 20)
        >>> copy = RNNLanguageModel(8).set_parameters(dict(model.parameters_), symbols=model.symbols_[:-2])
        >>> copy.score(["hannah"]) == model.score(["hannah"])
        True
        """
        return self._set_parameters(parameters, symbols=symbols)

    @checks_parameters
    def _start_with_parameters(self, given, symbols):
        self._check_parameters()
        if symbols is None:
            raise ValueError(
                "symbols must be passed to a model that is not fitted: those that the rows of embedding.E stand for, "
                "but for the last two"
            )
        symbols = list(symbols)
        vocabulary = Vocabulary.given(symbols, self.analyzer)
        if vocabulary.symbols != symbols:
            in_order = shown(vocabulary.symbols)
            raise ValueError(f"symbols={shown(symbols)}: expected them once each and in order, {in_order}")
        reading = TextReading.of(True, self.analyzer, vocabulary)
        self._set_given(given, self._make_network(reading, None), LOSSES["log_loss"](), np.float32, reading)

    def _check_parameters(self):
        """Raise a ValueError for parameters that do not go together."""
        self._check_hidden_size()
        check_verbose(self.verbose)
        OPTIMIZERS[self.solver].check_parameters(vars(self))

    def _analyzer(self, resume):
        """The analyzer, which a fit that continues shares with the first one."""
        if resume and self.analyzer != resume.reading.analyzer:
            raise self._cannot_continue(f"analyzer={self.analyzer!r}, it was fitted with {resume.reading.analyzer!r}")
        return self.analyzer

    def _split(self, texts, X_val):
        """The texts to train on, those of them to validate on, by their numbers, and the symbols of X_val, or None."""
        every = np.arange(len(texts))
        if not self.early_stopping:
            return every, every[:0], None
        if X_val is not None:
            return every, every[:0], texts_of(X_val, self.analyzer, "X_val")
        if len(texts) < 2:
            raise ValueError(
                "early_stopping=True cannot hold out some of one text: cut it, or pass what follows it as X_val"
            )
        random_state = check_random_state(self.random_state)
        return *hold_out(every, "texts", self.validation_fraction, random_state), None

    def _validate(self, model, reading, texts, X_val):
        """What validates theta, on the symbols of X_val or on texts that are held out; None where there is neither."""
        if not self.early_stopping:
            return None
        if X_val is None:
            return partial(_validation, texts.score_held_out)
        held_out = Corpus(X_val, reading.vocabulary)
        return partial(_validation, lambda theta: float(scoring.log_likelihoods(model.network, theta, held_out).mean()))

    def _read_texts(self, texts, used, resume, symbols=None):
        """How texts are read, with a vocabulary of those in use, or of symbols that are known beforehand."""
        if not resume:
            if symbols is None:
                vocabulary = Vocabulary.of(texts.count_symbols(used), self.min_frequency)
            else:
                vocabulary = Vocabulary.given(symbols, self.analyzer)
            return TextReading.of(texts.of_strings, self.analyzer, vocabulary)
        known = resume.reading.vocabulary
        if symbols is not None and Vocabulary.given(symbols, self.analyzer).numbers != known.numbers:
            raise ValueError("symbols are others than in the first call of partial_fit: leave them out, or clone")
        return resume.reading

    def _make_network(self, reading, resume):
        n_symbols = len(reading.vocabulary)
        network = RecurrentNetwork(
            int(self.embedding_dim), self._check_hidden_size(), n_symbols, self.cell, self.activation,
            self.reset_after, bidirectional=False, per_step=True, n_categories=n_symbols,
        )
        if resume:
            self._check_same_shapes(network, resume.model)
        return network

    def _begin(self, model, texts):
        """What a new model knows of the texts before it is trained on them."""
        run.forget_unseen(model, dict.fromkeys(model.network.tables, texts.n_read == 0))
        if self.initial_bias == "frequencies":
            run.begin_near_constant(model, np.arange(len(texts.n_predicted)), texts.n_predicted)

    def _objective(self, model, texts):
        """What to minimize, and the windows that are an epoch of it."""
        return texts.objective(
            model, int(self.n_streams), int(self.truncated_bptt_steps), self.shuffle,
            run.regularization(model, vars(self)),
        )

    def _log_likelihoods(self, X):
        """Log-likelihood of the target of each step of texts, and their corpus."""
        model, reading, _ = self._get_fitted()
        corpus = reading.corpus(X)
        return scoring.log_likelihoods(model.network, model.theta, corpus), corpus

    def score(self, X, y=None):
        """Mean log-likelihood per symbol, in nats; ends count as symbols.

        Parameters
        ----------
        X : iterable of n str, or of n sequences of symbols
            Texts; an empty one consists of its end. All unknown symbols together have one probability.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Higher is better; −ln V when all V symbols are equally likely. Only comparable between models with the same
            `symbols_`.

        Raises
        ------
        TypeError, ValueError
            When X is not a collection of texts, naming the index, or empty.

        Examples
        --------
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["abcabcabc"] * 20)
        >>> model.score(["abcabc"]) > model.score(["cbacba"])
        True
        """
        return float(self._log_likelihoods(X)[0].mean())

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

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["abcabcabc"] * 20)
        >>> log_likelihoods = model.score_samples(["abc", ""])
        >>> bool(np.isclose(log_likelihoods.sum() / 5, model.score(["abc", ""])))      # three symbols and two ends
        True
        """
        log_likelihoods, corpus = self._log_likelihoods(X)
        return np.add.reduceat(log_likelihoods, corpus.starts)

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

        Examples
        --------
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["abcabcabc"] * 20)
        >>> 1 < model.perplexity(["abcabc"]) < len(model.symbols_)
        True
        """
        return float(np.exp(-self.score(X)))

    def bits_per_token(self, X):
        """The mean number of bits that encode a symbol: −`score` / ln 2.

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

        Examples
        --------
        >>> from math import isclose
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["abcabcabc"] * 20)
        >>> isclose(2 ** model.bits_per_token(["abcabc"]), model.perplexity(["abcabc"]))
        True
        """
        return -self.score(X) / log(2)

    def symbol_log_likelihoods(self, text, *, initial_state=None, return_state=False, end=True):
        """Log-likelihood of each symbol of a text, given those before it, in nats.

        Parameters
        ----------
        text : str, or sequence of symbols
        initial_state : array-like of shape (width,), optional
            The state from which to continue, returned by an earlier call of this model: as it is, or read from a file
            as a list or in another dtype. None begins a text.
        return_state : bool, default=False
            Also return the state after the last symbol of the text.
        end : bool, default=True
            Whether the end of the text is scored after its last symbol.

        Returns
        -------
        log_likelihoods : float64 array of shape (symbols,), or with the end (symbols + 1,)
        state : array of shape (width,)
            Only with `return_state`: the states of the layers, and the number of the last symbol, which is read next.

        Raises
        ------
        TypeError, ValueError
            When the text is not a text, or the state was not returned by this model.

        Examples
        --------
        A text in two pieces:

        >>> import numpy as np
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["abcabcabc"] * 20)
        >>> first, state = model.symbol_log_likelihoods("abca", return_state=True, end=False)
        >>> second = model.symbol_log_likelihoods("bc", initial_state=state)
        >>> bool((np.concatenate([first, second]) == model.symbol_log_likelihoods("abcabc")).all())
        True
        """
        model, reading, _ = self._get_fitted()
        flags = {"return_state": return_state, "end": end}
        check_parameters({name: ["boolean"] for name in flags}, flags, "symbol_log_likelihoods")
        targets, boundary = reading.encode(text, "text"), reading.vocabulary.boundary
        state = _zero_state(model, boundary) if initial_state is None else _check_state(initial_state, model, boundary)
        inputs = np.concatenate([state[-1:].astype(np.intp), targets])
        hidden = np.ascontiguousarray(state[np.newaxis, :-1])
        out, hidden = scoring.text_log_likelihoods(model, inputs[:-1], targets, hidden)
        if end:
            end_of_text = np.array([boundary])
            out = np.append(out, scoring.text_log_likelihoods(model, inputs[-1:], end_of_text, hidden)[0])
        return (out, np.append(hidden[0], model.dtype.type(inputs[-1]))) if return_state else out

    def predict_proba(self, prefixes):
        """Probability of each symbol to come next.

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
            When `prefixes` is not a collection of texts, naming the index, or empty.

        Examples
        --------
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(8, random_state=0).fit(["abcabcabc"] * 20)
        >>> p = model.predict_proba(["ab", ""])
        >>> p.shape, round(float(p[0].sum()), 6)      # a, b, c, <unknown> and <end>
        ((2, 5), 1.0)
        """
        model, reading, _ = self._get_fitted()
        return softmax(scoring.last_scores(model, reading.corpus(prefixes, "prefixes")), axis=1)

    def generate(
        self, n_tokens=100, prefix="", *, temperature=1.0, top_k=None, top_p=None, random_state=None, stream=False
    ):
        """Continue a text, symbol by symbol, each drawn by its probability, until the end is drawn.

        Parameters
        ----------
        n_tokens : int, default=100
            The maximum number of symbols.
        prefix : str, or sequence of symbols, default=""
            The text to continue; an empty prefix begins a text.
        temperature : float, default=1.0
            Log-probabilities are divided by it: below 1 likely symbols become likelier, and 0 always takes the most
            likely one.
        top_k : int, default=None
            The number of most likely symbols to draw from; None for all.
        top_p : float, default=None
            Draw from the smallest set of most likely symbols whose total probability is at least `top_p`; None for all.
        random_state : int, RandomState instance or None, default=None
            Source of what is drawn; pass an int for the same text each time.
        stream : bool, default=False
            Whether to return an iterator that draws each symbol when it is needed.

        Returns
        -------
        text : str, list of symbols, or iterator over symbols
            The continuation, without the prefix; a list if the model was fitted to lists of symbols or has a callable
            as its analyzer. With "word", words with a space between them. "<unknown>" is never drawn.

        Raises
        ------
        TypeError, ValueError
            When an argument cannot be used.

        References
        ----------
        Holtzman, A. et al. (2020). The curious case of neural text degeneration. ICLR. `top_p`.

        Examples
        --------
        >>> from skrnn import RNNLanguageModel
        >>> model = RNNLanguageModel(16, random_state=0).fit(["anna", "hanna", "hannah", "nana"] * 20)
        >>> model.generate(10, "hann", temperature=0)
        'a'
        >>> "".join(model.generate(10, "hann", temperature=0, stream=True))
        'a'
        """
        model, reading, _ = self._get_fitted()
        asked = {"n_tokens": n_tokens, "temperature": temperature, "top_k": top_k, "top_p": top_p}
        asked |= {"random_state": random_state, "stream": stream}
        check_parameters(SAMPLING_CONSTRAINTS, asked, "generate")
        vocabulary = reading.vocabulary
        sampler = Sampler(float(temperature), top_k, top_p, check_random_state(random_state), [vocabulary.unknown])
        # All that it needs is bound here: a later fit does not change what a stream continues with.
        inputs = np.append(vocabulary.boundary, reading.encode(prefix, "prefix"))
        symbols = scoring.generated_symbols(model, vocabulary, inputs, int(n_tokens), sampler)
        return symbols if stream else reading.join(symbols)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "density_estimator"
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _validation(mean_log_likelihood, theta):
    """The `Validation` of theta: the score is the negative loss."""
    score = mean_log_likelihood(theta)
    return Validation(-score, score)


def _zero_state(model, boundary):
    """The state (width,) before a text: `boundary`, the number of its begin, comes last."""
    state = np.zeros(model.network.state_width + 1, model.dtype)
    state[-1] = boundary
    return state


def _check_state(state, model, boundary):
    """A state (width,) to continue from."""
    state, expected = as_state(state, model.dtype, "initial_state"), _zero_state(model, boundary)
    if state.shape != expected.shape:
        raise ValueError(
            f"initial_state has shape {state.shape}, expected {expected.shape}: one that this model has returned"
        )
    last = state[-1]
    if not np.isfinite(state).all() or not (0 <= last < model.network.n_categories and last == int(last)):
        raise ValueError(
            "initial_state is none that this model has returned: it is not finite, or its last number, "
            f"{last}, is not that of a symbol"
        )
    return state
