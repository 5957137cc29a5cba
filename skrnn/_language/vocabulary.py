"""Texts as sequences of symbols, and symbols as numbers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from unicodedata import category

import numpy as np

from skrnn._data.numbers import is_hashable
from skrnn._language.corpus import Corpus
from skrnn._messages import shown
from skrnn._plain import plain

UNKNOWN, END = "<unknown>", "<end>"
WORDS = re.compile(r"\w+|[^\w\s]")
ZERO_WIDTH_JOINER = "\u200d"
JOINERS = ZERO_WIDTH_JOINER, "\u200c"      # and the non-joiner, which Persian has within words


def words_of(text):
    """The words and punctuation marks of a text.

    Combining marks (accents, vowel signs, variation selectors) and joiners belong to what they follow.
    """
    if text.isascii() or not any(map(_is_joined, set(text))):
        return WORDS.findall(text)
    return _words_with_marks().findall(text)


def _is_joined(character):
    return category(character)[0] == "M" or character in JOINERS


@cache
def _words_with_marks():
    r"""The pattern of words with marks, of which `\w` has none. It is made when the first text has one: 0.1 s."""
    codes = [code for code in chain(range(0x20000), range(0xE0000, 0xE1000)) if _is_joined(chr(code))]
    firsts = [code for code, before in zip(codes, [-1, *codes], strict=False) if code != before + 1]
    lasts = [code for code, after in zip(codes, [*codes[1:], -1], strict=True) if code + 1 != after]
    joined = "[" + "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(firsts, lasts, strict=True)) + "]"
    return re.compile(rf"\w+(?:{joined}+\w*)*|[^\w\s](?:{joined}|(?<={ZERO_WIDTH_JOINER})[^\w\s])*")


# How a text is cut into symbols, and what joins these again
ANALYZERS = {"char": (list, ""), "word": (words_of, " ")}


def texts_in(X, name="X", may_be_empty=False):
    """The texts of X as a list, as they are."""
    if isinstance(X, str | bytes | bytearray | memoryview | Mapping | set | frozenset) or not isinstance(X, Iterable):
        raise TypeError(f"{name} is a {type(X).__name__}, expected a list of texts; for one text pass [{name}]")
    # A table would be read as its column names, or each of its cells as a symbol.
    if len(getattr(X, "shape", (0,))) != 1:
        raise ValueError(f"{name} has shape {X.shape}, expected texts (n,); of a table pass one column, {name}['...']")
    texts = X.to_pylist() if hasattr(X, "to_pylist") else list(X)
    if not texts and not may_be_empty:
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
    return [symbols_of(text, analyze, f"{name}[{i}]") for i, text in enumerate(texts_in(X, name))]


def symbols_of(text, analyze, name):
    """The symbols of one text."""
    if isinstance(text, bytes | bytearray | memoryview | Mapping | set | frozenset) or not isinstance(text, Iterable):
        raise TypeError(f"{name} is {type(text).__name__} {shown(text)}, expected a str or a sequence of symbols")
    # A table would be read as its column names.
    if not isinstance(text, str) and len(getattr(text, "shape", (0,))) != 1:
        raise ValueError(f"{name} has shape {text.shape}, expected a str or symbols (n,)")
    if isinstance(text, str):
        found = analyze(text)
    elif hasattr(text, "to_pylist"):
        found = text.to_pylist()
    else:
        # Of arrays Python's numbers: those of PyTorch would each be a symbol by itself.
        found = text.tolist() if hasattr(text, "tolist") else text
    if not isinstance(found, Iterable):
        raise TypeError(f"analyzer returned {type(found).__name__} {shown(found)} for {name}, expected symbols")
    symbols = list(found)
    check_symbols(symbols, name)
    return symbols


def check_symbols(symbols, name):
    """Raise a TypeError that names the first of some symbols that is none."""
    # Strings and integers, as texts consist of, need no look at each.
    if set(map(type, symbols)) <= {str, int}:
        return
    for i, symbol in enumerate(symbols):
        if symbol is None or not is_hashable(symbol) or symbol != symbol:
            raise TypeError(
                f"{name}[{i}] is {type(symbol).__name__} {shown(symbol)}, expected a symbol: a str, a number or a tuple"
            )


@plain(symbols=list)
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
    def of(cls, counts, min_frequency):
        """The symbols that occur often enough, a dict of how often each does, sorted where they can be."""
        kept = [symbol for symbol, count in counts.items() if count >= min_frequency]
        if not kept:
            raise ValueError(
                f"X has no symbol at least min_frequency={min_frequency} times: expected texts that are not all empty, "
                "or a smaller min_frequency"
            )
        return cls(_ordered(kept))

    @classmethod
    def given(cls, symbols, analyzer):
        """Symbols that are known beforehand."""
        if not isinstance(symbols, Iterable) or isinstance(symbols, bytes | Mapping):
            raise TypeError(f"symbols is {type(symbols).__name__} {shown(symbols)}, expected a list of symbols")
        if isinstance(symbols, str) and analyzer != "char":
            raise TypeError("symbols is a str, which holds characters: expected a list of symbols")
        symbols = list(symbols)
        check_symbols(symbols, "symbols")
        if not symbols:
            raise ValueError("symbols is empty, expected at least one symbol")
        return cls(_ordered(dict.fromkeys(symbols)))

    def __len__(self):
        return self.boundary + 1

    def encode(self, symbols):
        """Their numbers, an int array."""
        return np.fromiter(map(self.numbers.__getitem__, symbols), np.intp, len(symbols))


@plain
@dataclass(frozen=True)
class TextReading:
    """How a language model reads texts: what its first fit has learned of them.

    Parameters
    ----------
    analyzer : key of ``ANALYZERS``, or callable
    vocabulary : Vocabulary
    joint : str or None
        What joins generated symbols to a str; None leaves them a list.
    """

    analyzer: object
    vocabulary: Vocabulary
    joint: str | None

    @classmethod
    def of(cls, of_strings, analyzer, vocabulary):
        """The reading of texts, each of which is a str or not."""
        strings = of_strings and not callable(analyzer)
        strings &= all(isinstance(symbol, str) for symbol in vocabulary.numbers)
        return cls(analyzer, vocabulary, ANALYZERS[analyzer][1] if strings else None)

    def corpus(self, X, name="X"):
        """Texts as numbers."""
        return Corpus(texts_of(X, self.analyzer, name), self.vocabulary)

    def encode(self, text, name):
        """One text as numbers."""
        analyze = self.analyzer if callable(self.analyzer) else ANALYZERS[self.analyzer][0]
        return self.vocabulary.encode(symbols_of(text, analyze, name))

    def join(self, symbols):
        """Generated symbols as a text."""
        return list(symbols) if self.joint is None else self.joint.join(symbols)

    def attributes(self):
        """What `fit` publishes."""
        known = self.vocabulary.numbers
        symbols = np.empty(len(self.vocabulary), dtype=object)
        symbols[:] = [*self.vocabulary.symbols, _name_apart(UNKNOWN, known), _name_apart(END, known)]
        return {"symbols_": symbols, "vocabulary_": dict(self.vocabulary.numbers)}


def _name_apart(name, symbols):
    """A name that is none of the symbols: with more angle brackets, if texts have it themselves."""
    while name in symbols:
        name = f"<{name}>"
    return name


def _ordered(symbols):
    """Sorted, if they can be compared, so that their order in the texts does not matter; else as they come."""
    try:
        return sorted(symbols)
    except TypeError:
        return list(symbols)


class _Numbers(dict):
    """Those of symbols; one for all that are not known."""

    def __missing__(self, symbol):
        return self.unknown
