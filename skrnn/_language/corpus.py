"""How texts are laid out: as numbers end to end; for training in streams side by side, cut into windows."""

import heapq

import numpy as np

# Windows that a piece of a text is long at most. Pieces that are much longer leave the net with next to no beginnings
# to learn from; see docs/language.md.
MAX_WINDOWS_PER_PIECE = 16


class Corpus:
    """Texts as numbers, laid end to end: what a language model reads, and what it has to predict at each step.

    The text s₁ … sₙ is read as begin, s₁, …, sₙ and predicted as s₁, …, sₙ, end; or, if the texts have no ends, read as
    begin, s₁, …, sₙ₋₁ and predicted as s₁, …, sₙ.

    Parameters
    ----------
    texts : list of lists of symbols
    vocabulary : Vocabulary
    ends : bool
        Whether texts end.

    Attributes
    ----------
    inputs, targets : (total,) int arrays
    lengths, starts : (n,) int arrays
        Steps of each text, and where they begin.
    """

    def __init__(self, texts, vocabulary, ends=True):
        self.n_symbols = len(vocabulary)
        boundary = np.array([vocabulary.boundary])
        numbers = np.concatenate([boundary, *(np.append(vocabulary.encode(text), boundary) for text in texts)])
        self.inputs, self.targets = numbers[:-1], numbers[1:]
        lengths = np.array([len(text) + 1 for text in texts], dtype=np.intp)
        starts = np.cumsum(lengths) - lengths
        # Without its end the last step of a text predicts nothing, and is left out; so are texts that are nothing else.
        kept = slice(None) if ends else lengths > 1
        self.starts, self.lengths = starts[kept], (lengths if ends else lengths - 1)[kept]

    def __len__(self):
        return len(self.inputs)

    def unseen_symbols(self):
        """Which numbers of the vocabulary no step reads, a bool array."""
        return np.bincount(self.inputs, minlength=self.n_symbols) == 0


class Window:
    """What one update reads: stretches of texts, up to so many steps of each stream.

    Attributes
    ----------
    starts, lengths : (n,) int arrays
        The stretches among the steps of the corpus.
    stream : (n,) int array
        The stream of each.
    carried : (n,) bool array
        Whether a stretch goes on where its stream's last one ended, in the window before.
    last : (n,) bool array
        Whether it is the last one of its stream here.
    """

    def __init__(self, starts, lengths, stream, carried):
        self.starts, self.lengths, self.stream, self.carried = starts, lengths, stream, carried
        self.last = np.append(stream[1:] != stream[:-1], True)


class Windows:
    """The windows of a corpus; each iteration over it is an epoch, with the texts in another order.

    A text that is longer than the share of a stream, or than so many windows, is cut into pieces that begin without a
    history. Each stream takes one piece after the other, whichever is next when it has ended its last, so that all have
    about the same length.

    Parameters
    ----------
    starts, lengths : (n,) int arrays
        The texts among the steps of the corpus.
    n_streams, n_steps : int
        Streams side by side, and steps of each in a window.
    random_state : RandomState, optional
        Orders the pieces; None takes them as they come.

    Attributes
    ----------
    starts, lengths : (m,) int arrays
        The pieces.
    n_streams, n_steps : int
        No more than there are pieces and steps.
    """

    def __init__(self, starts, lengths, n_streams, n_steps, random_state=None):
        self.n_samples = int(lengths.sum())
        self.n_steps, self.random_state = min(n_steps, self.n_samples), random_state
        # As many pieces of the same length for each stream, so that none has to wait for another one's last
        share = max(-(-self.n_samples // n_streams), self.n_steps)
        most = -(-share // -(-share // (MAX_WINDOWS_PER_PIECE * self.n_steps)))
        self.starts, self.lengths, _, _ = cut(starts, lengths, np.zeros_like(starts), most)
        self.n_streams = min(n_streams, len(self.starts))

    def __iter__(self):
        order = np.arange(len(self.starts))
        if self.random_state is not None:
            self.random_state.shuffle(order)
        starts, lengths = self.starts[order], self.lengths[order]
        stream, since = self._places(lengths)
        starts, lengths, piece, window = cut(starts, lengths, since, self.n_steps)
        carried = np.append(False, piece[1:] == piece[:-1])
        stream, since = stream[piece], since[piece]
        # By window, in it by stream, and there in order
        order = np.lexsort((since, stream, window))
        ends = np.flatnonzero(np.append(np.diff(window[order]) > 0, True)) + 1
        for part in np.split(order, ends[:-1]):
            yield Window(starts[part], lengths[part], stream[part], carried[part])

    def _places(self, lengths):
        """The stream of each piece, and how many steps of the stream come before it."""
        free = [(0, stream) for stream in range(self.n_streams)]
        stream, since = np.empty((2, len(lengths)), dtype=np.intp)
        for i, length in enumerate(lengths.tolist()):
            since[i], stream[i] = free[0]
            heapq.heapreplace(free, (int(since[i]) + length, int(stream[i])))
        return stream, since


def cut(starts, lengths, since, most):
    """Pieces cut where their steps, counted from `since` on, reach multiples of `most`.

    Returns
    -------
    starts, lengths : (m,) int arrays
    piece : (m,) int array
        Which of the pieces each was cut from.
    number : (m,) int array
        How many multiples came before.
    """
    first, last = since // most, (since + lengths - 1) // most
    n_parts = last - first + 1
    piece = np.repeat(np.arange(len(starts)), n_parts)
    number = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    begin = np.maximum(since[piece], number * most)
    end = np.minimum((since + lengths)[piece], (number + 1) * most)
    return starts[piece] + begin - since[piece], end - begin, piece, number
