"""SequenceVectorizer."""

from array import array
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import check_is_fitted

from skrnn._data.numbers import as_numbers, is_missing, is_sized
from skrnn._data.ragged import RaggedArray
from skrnn._data.reading import set_attributes
from skrnn._messages import shown
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import StoredMixin, stored_estimator
from skrnn._plain import plain
from skrnn._sklearn import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    checks_parameters,
    one_task,
)
from skrnn.preprocessing._forms import RaggedOutput

TOKEN_PATTERN = r"(?u)\b\w+\b"


@stored_estimator
class SequenceVectorizer(
    CallbackSupportMixin, StoredMixin, CheckedParametersMixin, RaggedOutput, TransformerMixin, BaseEstimator
):
    """Convert texts to sequences of categories, one per token, for a network with ``embedding_dim``.

    It is ``CountVectorizer`` with the order kept: the same tokens become the categories 0 to n − 1, in alphabetical
    order. A token that is not in the vocabulary becomes the category n, and so does, as its only step, a text without
    tokens.

    Parameters
    ----------
    strip_accents : {"ascii", "unicode"} or callable, default=None
        How to remove accents. "ascii" is fast, but only works for characters that map directly to ASCII.
    lowercase : bool, default=True
        Convert all characters to lowercase.
    preprocessor : callable, default=None
        Function of a text, used instead of `strip_accents` and `lowercase`.
    tokenizer : callable, default=None
        Function from a text to its tokens, used instead of `token_pattern`. Only for ``analyzer="word"``.
    stop_words : {"english"} or list, default=None
        Tokens to leave out. Only for ``analyzer="word"``.
    token_pattern : str, default=r"(?u)\\b\\w+\\b"
        Regular expression of a token. Only for ``analyzer="word"``. The default includes words of one character, which
        ``CountVectorizer`` leaves out: sequences would lose their meaning without them.
    analyzer : {"word", "char"} or callable, default="word"
        The tokens: words, characters (consecutive blanks count as one), or what a function returns for a raw text, for
        instance overlapping pieces of it.
    max_df : float in [0.0, 1.0] or int, default=1.0
        Tokens in more texts than this are left out of the vocabulary; a float is a fraction of the texts. Not used if a
        `vocabulary` is given.
    min_df : float in [0.0, 1.0] or int, default=1
        Tokens in fewer texts than this are left out in the same way.
    max_features : int, default=None
        Size of the vocabulary, which then holds the most frequent tokens. Not used if a `vocabulary` is given.
    vocabulary : Mapping or iterable, default=None
        Tokens with their categories, which must be 0, 1, ..., or tokens in the order of their categories. None: `fit`
        determines it.

    Attributes
    ----------
    vocabulary_ : dict
        The category of each token.
    unknown_category_ : int
        The category of all other tokens, ``len(vocabulary_)``.

    See Also
    --------
    sklearn.feature_extraction.text.CountVectorizer : Counts of tokens, without their order. It analyzes the
        texts here.

    Notes
    -----
    A network learns an embedding of every category up to the maximum in its training data, and has one more for all
    categories above. If `min_df`, `max_df` or `max_features` leave tokens out, the unknown category occurs in the
    training data, and its embedding is trained. A network that is told ``n_categories=unknown_category_ + 1`` has the
    same parameters for every part of the texts, so that `partial_fit` may read tokens later that its first call lacked.

    As in ``CountVectorizer`` the default `token_pattern` ends words at combining marks: decomposed accents, vowel signs
    of Hindi or Thai. Compose accents first (``unicodedata.normalize("NFC", text)``) or give a `tokenizer`.

    There are no n-grams: n-grams of several lengths would be ordered by length, not as in the text. A custom `analyzer`
    can return pieces of one length, as below.

    Examples
    --------
    >>> from skrnn.preprocessing import SequenceVectorizer
    >>> vectorizer = SequenceVectorizer()
    >>> X = vectorizer.fit_transform(["The cat sat.", "A dog sat on the cat."])
    >>> [x.tolist() for x in X]
    [[5, 1, 4], [0, 2, 4, 3, 5, 1]]
    >>> X = vectorizer.transform(["A bird sat."])
    >>> X[0], vectorizer.unknown_category_
    (array([0, 6, 4]), 6)
    >>> vectorizer.inverse_transform(X)
    [['a', None, 'sat']]

    DNA in pieces of three letters:

    >>> def triplets(text):
    ...     return [text[i : i + 3] for i in range(len(text) - 2)]
    >>> vectorizer = SequenceVectorizer(analyzer=triplets)
    >>> vectorizer.fit_transform(["GATTACA"])[0]
    array([2, 1, 4, 3, 0])
    >>> vectorizer.get_feature_names_out()
    array(['ACA', 'ATT', 'GAT', 'TAC', 'TTA'], dtype=object)
    """

    _parameter_constraints: ClassVar = {
        "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
        "lowercase": ["boolean"],
        "preprocessor": [callable, None],
        "tokenizer": [callable, None],
        "stop_words": [StrOptions({"english"}), list, None],
        "token_pattern": [str, None],
        "analyzer": [StrOptions({"word", "char"}), callable],
        "max_df": [Interval(RealNotInt, 0, 1, closed="both"), Interval(Integral, 1, None, closed="left")],
        "min_df": [Interval(RealNotInt, 0, 1, closed="both"), Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "vocabulary": [Mapping, HasMethods("__iter__"), None],
    }

    def __init__(
        self,
        *,
        strip_accents=None,
        lowercase=True,
        preprocessor=None,
        tokenizer=None,
        stop_words=None,
        token_pattern=TOKEN_PATTERN,
        analyzer="word",
        max_df=1.0,
        min_df=1,
        max_features=None,
        vocabulary=None,
    ):
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.analyzer = analyzer
        self.max_df = max_df
        self.min_df = min_df
        self.max_features = max_features
        self.vocabulary = vocabulary

    def fit(self, X, y=None):
        """Learn the vocabulary.

        Parameters
        ----------
        X : list, array or column of n str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        TypeError, ValueError
            If X is not a collection of texts, naming the index, or no token is left for the vocabulary. The vectorizer
            then stays as it was.

        Examples
        --------
        >>> from skrnn.preprocessing import SequenceVectorizer
        >>> SequenceVectorizer(min_df=2).fit(["The cat sat.", "A dog sat on the cat."]).vocabulary_
        {'the': 2, 'cat': 0, 'sat': 1}
        """
        self.fit_transform(X, y)
        return self

    @checks_parameters
    @one_task
    def fit_transform(self, X, y=None):
        """Learn the vocabulary and convert the same texts to categories; each text is analyzed once.

        Parameters
        ----------
        X : list, array or column of n str
            Texts.
        y : None
            Ignored.

        Returns
        -------
        X : RaggedArray of n int arrays (tokens,)
            Categories.

        Raises
        ------
        TypeError, ValueError
            As in `fit`.

        Examples
        --------
        >>> from skrnn.preprocessing import SequenceVectorizer
        >>> [x.tolist() for x in SequenceVectorizer(analyzer="char").fit_transform(["abba", "cab"])]
        [[0, 1, 1, 0], [2, 0, 1]]
        """
        texts = _texts(X)
        reader = Reader(**self._reader_parameters())
        tokens = reader.tokens = _Tokens(reader.build_analyzer())
        reader.fit(texts)
        reader.tokens = None
        self._set_fitted(reader)
        return tokens.categories(reader.vocabulary_)

    def _set_fitted(self, reader):
        vocabulary = reader.vocabulary_
        set_attributes(
            self, {"_fitted": reader, "vocabulary_": vocabulary, "unknown_category_": len(vocabulary)}
        )

    def transform(self, X):
        """Convert texts to categories.

        Parameters
        ----------
        X : list, array or column of n str
            Texts.

        Returns
        -------
        X : RaggedArray of n int arrays (tokens,)
            Categories.

        Raises
        ------
        TypeError, ValueError
            If X is not a collection of texts, naming the index.

        Examples
        --------
        >>> from skrnn.preprocessing import SequenceVectorizer
        >>> vectorizer = SequenceVectorizer(analyzer="char").fit(["abba"])
        >>> [x.tolist() for x in vectorizer.transform(["bab", "cab"])]      # c is unknown
        [[1, 0, 1], [2, 0, 1]]
        """
        check_is_fitted(self)
        reader = self._fitted
        tokens = _Tokens(reader.build_analyzer())
        for text in _texts(X):
            tokens(text)
        return tokens.categories(reader.vocabulary_)

    def inverse_transform(self, X):
        """Convert categories back to tokens.

        Parameters
        ----------
        X : collection of n arrays (tokens,) or (tokens, 1)
            Categories.

        Returns
        -------
        tokens : list of n lists of str
            None for the unknown category.

        Raises
        ------
        TypeError, ValueError
            If X holds anything but categories, naming the first.

        Examples
        --------
        >>> from skrnn.preprocessing import SequenceVectorizer
        >>> vectorizer = SequenceVectorizer(analyzer="char").fit(["abba"])
        >>> vectorizer.inverse_transform([[1, 0], [2]])
        [['b', 'a'], [None]]
        """
        check_is_fitted(self)
        if not is_sized(X):
            raise TypeError(f"X is a {type(X).__name__}, expected a collection of arrays of categories")
        tokens = [*self._fitted.get_feature_names_out(), None]
        return [[tokens[i] for i in _checked_categories(x, f"X[{i}]", len(tokens) - 1)] for i, x in enumerate(X)]

    def get_feature_names_out(self, input_features=None):
        """Tokens in the order of their categories.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : object array of shape (`len(vocabulary_)`,)

        Raises
        ------
        ValueError
            If the vectorizer is not fitted.

        Examples
        --------
        >>> from skrnn.preprocessing import SequenceVectorizer
        >>> SequenceVectorizer().fit(["The cat sat."]).get_feature_names_out().tolist()
        ['cat', 'sat', 'the']
        """
        check_is_fitted(self)
        return self._fitted.get_feature_names_out()

    def _reader_parameters(self):
        parameters = self.get_params(deep=False)
        if self.token_pattern == TOKEN_PATTERN and (self.analyzer != "word" or self.tokenizer is not None):
            # CountVectorizer warns of a pattern that is not used, but not of its own default
            parameters["token_pattern"] = None
        if callable(self.analyzer) or self.preprocessor is not None:
            # Not used either; otherwise CountVectorizer warns of uppercase in a given vocabulary
            parameters["lowercase"] = False
        return parameters

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


@plain(make="fitted", parameters=dict, vocabulary_=dict)
class Reader(CountVectorizer):
    """A CountVectorizer whose analyzer can be replaced."""

    tokens = None

    @property
    def parameters(self):
        """Those that a `SequenceVectorizer` has given it."""
        return {name: getattr(self, name) for name in SequenceVectorizer().get_params()}

    @classmethod
    def fitted(cls, parameters, vocabulary_):
        """One that has this vocabulary, a dict from tokens to the numbers 0, 1, …"""
        if sorted(vocabulary_.values()) != list(range(len(vocabulary_))):
            raise ValueError(f"the categories of {len(vocabulary_)} tokens are not 0, 1, …")
        reader = cls(**parameters)
        reader.vocabulary_, reader.fixed_vocabulary_ = vocabulary_, parameters["vocabulary"] is not None
        return reader

    def build_analyzer(self):
        return super().build_analyzer() if self.tokens is None else self.tokens

    def __getstate__(self):
        # Without what scikit-learn notes when it first reads texts
        return {name: value for name, value in super().__getstate__().items() if not name.startswith("_")}


class _Tokens:
    """An analyzer that keeps the tokens of all texts that it is called with, numbered in order of appearance."""

    def __init__(self, analyze):
        self.analyze, self.numbers, self.steps, self.lengths = analyze, {}, array("q"), []

    def __call__(self, text):
        tokens = list(self.analyze(text))
        # A step without a token, −1, is the unknown category, the last one below
        steps = [self.numbers.setdefault(token, len(self.numbers)) for token in tokens] or [-1]
        self.steps.extend(steps)
        self.lengths.append(len(steps))
        return tokens

    def categories(self, vocabulary):
        """The tokens of all texts as categories."""
        unknown = len(vocabulary)
        categories = np.array([*(vocabulary.get(token, unknown) for token in self.numbers), unknown], dtype=np.intp)
        return RaggedArray(categories[np.array(self.steps)], self.lengths)


def _texts(X):
    """The texts of X as a list."""
    if len(getattr(X, "shape", (0,))) != 1:
        raise ValueError(f"X has shape {X.shape}, expected texts (n,); of a table pass one column, X['...']")
    if isinstance(X, str | bytes | Mapping | set | frozenset) or not isinstance(X, Iterable):
        raise TypeError(f"X is a {type(X).__name__}, expected a list or column of texts; for one text pass [X]")
    texts = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    if not texts:
        raise ValueError("Found array with 0 sample(s): X is empty, expected at least one text")
    bad = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
    if bad is not None:
        cell = texts[bad]
        raise TypeError(f"X[{bad}] is {type(cell).__name__} {shown(cell)}, expected a str; {_remedy(cell)}")
    return texts


def _remedy(cell):
    """What to do about a cell that is no text."""
    if is_missing(cell):
        return "leave it out, or pass '' for a text without tokens"
    if isinstance(cell, bytes):
        return "decode it first"
    return "join tokens first, ' '.join(...)" if is_sized(cell) else "convert it first"


def _checked_categories(x, name, last):
    """A sequence of categories up to the last one as a list of int."""
    numbers = as_numbers(x, name)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.ndim != 1:
        raise ValueError(f"{name} has shape {numbers.shape}, expected categories (tokens,); for one sequence pass [X]")
    bad = np.flatnonzero(~((numbers >= 0) & (numbers <= last) & (numbers == np.floor(numbers))))
    if len(bad):
        raise ValueError(f"{name}[{bad[0]}] is {numbers[bad[0]]}, expected a category: 0, 1, ... up to {last}")
    return numbers.astype(np.intp).tolist()
