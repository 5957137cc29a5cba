"""Texts as sequences of symbols, and symbols as numbers."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from itertools import chain

import numpy as np

from skrnn._ragged import RaggedArray

UNKNOWN, END = "<unknown>", "<end>"
WORDS = re.compile(r"\w+|[^\w\s]")

# How a text is cut into symbols, and what joins these again
ANALYZERS = {"char": (list, ""), "word": (WORDS.findall, " ")}


def collected(X, name="X"):
    """The texts of X as a list."""
    if isinstance(X, str | bytes | Mapping | set | frozenset) or not isinstance(X, Iterable):
        raise TypeError(f"{name} is a {type(X).__name__}, expected a list of texts; for one text pass [{name}]")
    texts = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    if not texts:
        raise ValueError(f"{name} is empty, expected at least one text")
    return texts


def texts_of(X, analyzer, name="X"):
    """The symbols of each text: of a str those that the analyzer finds, of anything else its items.

    Parameters
    ----------
    X : iterable of str, or of sequences of hashable symbols
    analyzer : key of ``ANALYZERS``, or callable
    name : str
        What the messages call X.

    Returns
    -------
    list of lists
    """
    analyze = analyzer if callable(analyzer) else ANALYZERS[analyzer][0]
    return [symbols_of(text, analyze, f"{name}[{i}]") for i, text in enumerate(collected(X, name))]


def symbols_of(text, analyze, name):
    """The symbols of one text."""
    if isinstance(text, bytes | Mapping | set | frozenset) or not isinstance(text, Iterable):
        raise TypeError(f"{name} is {type(text).__name__} {text!r:.50}, expected a str or a sequence of symbols")
    symbols = list(analyze(text) if isinstance(text, str) else text)
    kinds = set(map(type, symbols))
    if not all(issubclass(kind, Hashable) and kind is not type(None) for kind in kinds):
        odd = next(i for i, symbol in enumerate(symbols) if not isinstance(symbol, Hashable) or symbol is None)
        raise TypeError(
            f"{name}[{odd}] is {type(symbols[odd]).__name__} {symbols[odd]!r:.50}, expected a symbol: a str or a number"
        )
    return symbols


class Vocabulary:
    """Numbers for symbols: 0, 1, ... for those that are known, then one for all others and one for begin and end.

    Parameters
    ----------
    symbols : list
        Different and hashable.
    """

    def __init__(self, symbols):
        self.symbols = list(symbols)
        self.unknown = len(self.symbols)
        self.numbers = _Numbers(zip(self.symbols, range(self.unknown), strict=True))
        self.numbers.unknown = self.unknown
        # One number for both: as an input it begins a text, as a target it ends one.
        self.boundary = self.unknown + 1

    @classmethod
    def of(cls, texts, min_frequency):
        """The symbols of texts that occur often enough, sorted where they can be."""
        counts = Counter(chain.from_iterable(texts))
        kept = [symbol for symbol, count in counts.items() if count >= min_frequency]
        if not kept:
            raise ValueError(
                f"X has no symbol at least min_frequency={min_frequency} times: expected texts that are not all empty, "
                "or a smaller min_frequency"
            )
        return cls(sorted(kept) if all(isinstance(symbol, str) for symbol in kept) else kept)

    def __len__(self):
        return self.boundary + 1

    def encode(self, symbols):
        """Their numbers, an int array."""
        return np.fromiter(map(self.numbers.__getitem__, symbols), np.intp, len(symbols))


class _Numbers(dict):
    """Those of symbols; one for all that are not known."""

    def __missing__(self, symbol):
        return self.unknown


class Corpus:
    """Texts as numbers, laid end to end: what a language model reads, and what it has to predict at each step.

    The text s₁ … sₙ is read as begin, s₁, …, sₙ and predicted as s₁, …, sₙ, end.

    Parameters
    ----------
    texts : list of lists of symbols
    vocabulary : Vocabulary

    Attributes
    ----------
    inputs, targets : (total,) int arrays
    lengths, starts : (n,) int arrays
        Steps of each text, one more than it has symbols, and where they begin.
    """

    def __init__(self, texts, vocabulary):
        boundary = np.array([vocabulary.boundary])
        numbers = np.concatenate([boundary, *(np.append(vocabulary.encode(text), boundary) for text in texts)])
        self.inputs, self.targets = numbers[:-1], numbers[1:]
        self.lengths = np.array([len(text) + 1 for text in texts], dtype=np.intp)
        self.starts = np.cumsum(self.lengths) - self.lengths

    def __len__(self):
        return len(self.inputs)

    def texts(self, values):
        """Values of the steps, (total,), as those of each text."""
        return RaggedArray(values, self.lengths)
