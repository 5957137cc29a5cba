"""How texts are laid out: as concatenated numbers; for training in parallel streams, which are cut into windows."""

import heapq

import numpy as np

from skrnn._data.ragged import gathered

# Maximum length of a piece of a text, in windows. From much longer pieces the network hardly learns how texts begin,
# since only the first step of a piece has no history; see docs/guide/language.md.
MAX_WINDOWS_PER_PIECE = 16


class Corpus:
    """Texts as concatenated numbers: what a language model reads, and what it has to predict at each step.

    The text s₁ … sₙ is read as begin, s₁, …, sₙ and predicted as s₁, …, sₙ, end. If the texts have no ends, it is read
    as begin, s₁, …, sₙ₋₁ and predicted as s₁, …, sₙ.

    Parameters
    ----------
    texts : list of lists of symbols
    vocabulary : Vocabulary
    ends : bool
        Whether the end of each text is predicted.

    Attributes
    ----------
    inputs, targets : (total,) int arrays
    lengths, starts : (n,) int arrays
        The number of steps of each text, and the row of its first step.
    """

    def __init__(self, texts, vocabulary, ends=True):
        self.n_symbols = len(vocabulary)
        boundary = np.array([vocabulary.boundary])
        numbers = np.concatenate([boundary, *(np.append(vocabulary.encode(text), boundary) for text in texts)])
        self.inputs, self.targets = numbers[:-1], numbers[1:]
        lengths = np.array([len(text) + 1 for text in texts], dtype=np.intp)
        starts = np.cumsum(lengths) - lengths
        # Without ends the last step of a text predicts nothing and is left out, and with it texts of no other step.
        kept = slice(None) if ends else lengths > 1
        self.starts, self.lengths = starts[kept], (lengths if ends else lengths - 1)[kept]

    def __len__(self):
        return len(self.inputs)

    def n_predicted(self):
        """How often each number of the vocabulary is a target, (V,)."""
        predicted = gathered(self.targets, self.starts, self.lengths) if len(self.starts) else self.targets[:0]
        return np.bincount(predicted, minlength=self.n_symbols)

    def n_read(self):
        """How often each number of the vocabulary is an input, (V,)."""
        return np.bincount(self.inputs, minlength=self.n_symbols)


class Window:
    """What one update reads: stretches of texts, at most `n_steps` steps of each stream.

    Its length is the number of all these steps.

    Attributes
    ----------
    starts, lengths : (n,) int arrays
        The stretches, as rows of the steps of the corpus.
    stream : (n,) int array
        The stream of each stretch.
    carried : (n,) bool array
        Whether a stretch continues the last stretch of its stream in the previous window.
    last : (n,) bool array
        Whether it is the last stretch of its stream in this window.
    """

    def __init__(self, starts, lengths, stream, carried):
        self.starts, self.lengths, self.stream, self.carried = starts, lengths, stream, carried
        self.last = np.append(stream[1:] != stream[:-1], True)

    def __len__(self):
        return int(self.lengths.sum())


class Windows:
    """The windows of a corpus; each iteration over it is an epoch, with the texts in another order.

    A text that is longer than a stream, or than `MAX_WINDOWS_PER_PIECE` windows, is split into pieces that begin
    without a history. The pieces are assigned in order, each to the stream that is shortest so far, so that all streams
    have about the same length.

    Parameters
    ----------
    starts, lengths : (n,) int arrays
        The texts, as rows of the steps of the corpus.
    n_streams, n_steps : int
        The number of streams, and of steps of each stream in a window.
    random_state : RandomState, optional
        Shuffles the pieces in each epoch; None keeps their order.

    Attributes
    ----------
    starts, lengths : (m,) int arrays
        The pieces, likewise.
    n_streams, n_steps : int
        Those of the parameters, at most the number of pieces and of steps.
    """

    def __init__(self, starts, lengths, n_streams, n_steps, random_state=None):
        self.n_samples = int(lengths.sum())
        self.n_steps, self.random_state = min(n_steps, self.n_samples), random_state
        # A whole number of pieces of equal length per stream, so that all streams end at about the same window
        stream_length = max(-(-self.n_samples // n_streams), self.n_steps)
        max_steps = -(-stream_length // -(-stream_length // (MAX_WINDOWS_PER_PIECE * self.n_steps)))
        self.starts, self.lengths, _, _ = split_at_multiples(starts, lengths, np.zeros_like(starts), max_steps)
        self.n_streams = min(n_streams, len(self.starts))

    def __len__(self):
        """How many windows an epoch has, about: as many as there are when all streams have the same length."""
        return -(-self.n_samples // (self.n_streams * self.n_steps))

    def __iter__(self):
        order = np.arange(len(self.starts))
        if self.random_state is not None:
            self.random_state.shuffle(order)
        starts, lengths = self.starts[order], self.lengths[order]
        stream, steps_before = self._assign_streams(lengths)
        starts, lengths, piece, window = split_at_multiples(starts, lengths, steps_before, self.n_steps)
        carried = np.append(False, piece[1:] == piece[:-1])
        stream, steps_before = stream[piece], steps_before[piece]
        # By window, then by stream, then by position in the stream
        order = np.lexsort((steps_before, stream, window))
        ends = np.flatnonzero(np.append(np.diff(window[order]) > 0, True)) + 1
        for part in np.split(order, ends[:-1]):
            yield Window(starts[part], lengths[part], stream[part], carried[part])

    def _assign_streams(self, lengths):
        """The stream of each piece, and how many steps of the stream come before it."""
        ends = [(0, stream) for stream in range(self.n_streams)]
        stream, steps_before = np.empty((2, len(lengths)), dtype=np.intp)
        for i, length in enumerate(lengths.tolist()):
            steps_before[i], stream[i] = ends[0]
            heapq.heapreplace(ends, (int(steps_before[i]) + length, int(stream[i])))
        return stream, steps_before


def split_at_multiples(starts, lengths, steps_before, max_steps):
    """Pieces split where the number of steps, with those before the piece, is a multiple of `max_steps`.

    Parameters
    ----------
    starts, lengths : (n,) int arrays
        The pieces.
    steps_before : (n,) int array
        The number of steps before each piece.
    max_steps : int

    Returns
    -------
    starts, lengths : (m,) int arrays
    piece : (m,) int array
        The index of the piece that each is a part of.
    number : (m,) int array
        The number of multiples before it.
    """
    first, last = steps_before // max_steps, (steps_before + lengths - 1) // max_steps
    n_parts = last - first + 1
    piece = np.repeat(np.arange(len(starts)), n_parts)
    number = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    begin = np.maximum(steps_before[piece], number * max_steps)
    end = np.minimum((steps_before + lengths)[piece], (number + 1) * max_steps)
    return starts[piece] + begin - steps_before[piece], end - begin, piece, number
