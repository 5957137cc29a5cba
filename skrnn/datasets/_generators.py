"""Generators of tasks that need memory, as defined in the papers."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from skrnn._messages import shown
from skrnn._sklearn import Interval, Options, StrOptions, validate_params

SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")

# The first and the last position of each relevant symbol, of 100 steps counted from 1
POSITIONS = {2: ((10, 20), (50, 60)), 3: ((10, 20), (33, 43), (66, 76))}


def at_least(minimum):
    return Interval(Integral, minimum, None, closed="left")


def _integers(uniform, low, high):
    """Integers low .. high, both included, from numbers in [0, 1)."""
    return low + np.floor(uniform * (high - low + 1)).astype(np.int64)


def _min_and_max_length(n_steps, minimum, reason):
    """The minimum and maximum length of sequences that an int or a pair of them gives."""
    bounds = (n_steps, n_steps) if isinstance(n_steps, Integral) else tuple(n_steps)
    if len(bounds) != 2 or not all(isinstance(bound, Integral) for bound in bounds) or bounds[0] > bounds[1]:
        raise ValueError(
            f"n_steps={shown(n_steps)}: expected the length of every sequence, an int, or the minimum and maximum "
            "length, two ints in this order"
        )
    if bounds[0] < minimum:
        raise ValueError(f"n_steps={shown(n_steps)} is too short: expected at least {minimum} steps, {reason}")
    return int(bounds[0]), int(bounds[1])


def _in_form_of(n_steps, rows, lengths):
    """Rows (n, steps, ...) themselves if n_steps is a number, else the list of their first `lengths` steps."""
    return rows if isinstance(n_steps, Integral) else [row[:T] for row, T in zip(rows, lengths, strict=True)]


@validate_params(
    {"n_samples": [at_least(1)], "n_steps": [at_least(2)], "random_state": ["random_state"]},
    prefer_skip_nested_validation=True,
)
def make_adding(n_samples=100, n_steps=100, *, random_state=None):
    """Make the adding problem: the sum of two marked numbers of a sequence.

    A step is a number and a marker. The numbers are uniform in [0, 1); the marker is 1 at one step of the first half
    and at one step of the second half, and 0 at all others. The target of a sequence is the sum of the two marked
    numbers. The constant answer 1 has a mean squared error of 1/6, the variance of the target.

    Parameters
    ----------
    n_samples : int, default=100
        Number of sequences.
    n_steps : int, default=100
        Number of steps of each sequence, 2 or more. If it is odd, the first half is the shorter one.
    random_state : int, RandomState instance or None, default=None
        Source of the numbers and of the marked steps; pass an int for reproducible data. A larger number of samples
        then begins with the same ones.

    Returns
    -------
    X : float64 array of shape (n_samples, n_steps, 2)
        The sequences. Feature 0 is the number, feature 1 the marker.
    y : float64 array of shape (n_samples,)
        The sums, from 0 to 2.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    There are two problems of this name. This is the later one, with numbers in [0, 1] and the plain sum as the target
    as in Le, Jaitly & Hinton (2015), and one marked step in each half of sequences of one length as in Arjovsky, Shah &
    Bengio (2016). In that of Hochreiter & Schmidhuber (1997) numbers are uniform in [-1, 1], lengths vary by a tenth,
    the marked steps are one of the first ten and another one of the first half, the first and the last step have the
    marker -1, and the target is 0.5 + sum/4.

    References
    ----------
    Hochreiter & Schmidhuber (1997), Long short-term memory. Neural Computation 9, 1735-1780. Experiment 4.

    Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear units.
    arXiv:1504.00941.

    Arjovsky, Shah & Bengio (2016), Unitary evolution recurrent neural networks. ICML.

    Examples
    --------
    >>> from skrnn.datasets import make_adding
    >>> X, y = make_adding(n_samples=500, n_steps=50, random_state=0)
    >>> X.shape, y.shape
    ((500, 50, 2), (500,))
    >>> numbers, markers = X[0].T
    >>> markers.nonzero()[0].tolist()
    [14, 35]
    >>> bool(y[0] == numbers[14] + numbers[35])
    True
    """
    # Python integers do not overflow
    n_samples, n_steps = int(n_samples), int(n_steps)
    # (n_samples, n_steps + 2): in the row of a sequence its numbers, and two from which its marked steps follow
    draws = check_random_state(random_state).uniform(size=(n_samples, n_steps + 2))
    half, rows = n_steps // 2, np.arange(n_samples)
    X = np.zeros((n_samples, n_steps, 2))
    X[:, :, 0] = draws[:, :n_steps]
    X[rows, _integers(draws[:, -2], 0, half - 1), 1] = 1
    X[rows, _integers(draws[:, -1], half, n_steps - 1), 1] = 1
    return X, (X[:, :, 0] * X[:, :, 1]).sum(axis=1)


@validate_params(
    {
        "n_samples": [at_least(1)],
        "gap": [at_least(1)],
        "n_symbols": [at_least(1)],
        "alphabet_size": [at_least(1)],
        "one_hot": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_copy_memory(n_samples=100, gap=100, *, n_symbols=10, alphabet_size=8, one_hot=False, random_state=None):
    """Make the copying memory problem: repeat the first symbols of a sequence after a long gap.

    ==============================  ===============================================================
    Steps of a sequence             gap + 20
    Input                           10 symbols, gap - 1 blanks, the delimiter, 10 blanks
    Target of the steps             gap + 10 blanks, the 10 symbols in their order
    Categories                      symbols 0 to 7, the blank 8, the delimiter 9
    Mean cross-entropy, no memory   10 ln 8 / (gap + 20) nats per step
    ==============================  ===============================================================

    Symbols are uniform and independent. The cross-entropy is that of the best prediction that knows the step but
    remembers no symbol: blanks, and equal probabilities of the 8 symbols at the last 10 steps. With n symbols of an
    alphabet of k, the blank is the category k and the delimiter k + 1, and the cross-entropy is n ln k / (gap + 2 n).

    Parameters
    ----------
    n_samples : int, default=100
        Number of sequences.
    gap : int, default=100
        Number of steps between the last symbol and the first step of the answer, T in the paper: gap - 1 blanks and the
        delimiter.
    n_symbols : int, default=10
        Number of symbols to remember.
    alphabet_size : int, default=8
        Number of different symbols.
    one_hot : bool, default=False
        Whether X holds one-hot vectors of the categories, instead of the categories.
    random_state : int, RandomState instance or None, default=None
        Source of the symbols; pass an int for reproducible data. A larger number of samples then begins with the same
        ones.

    Returns
    -------
    X : int array of shape (n_samples, steps), or float64 array of shape (n_samples, steps, alphabet_size + 2)
        The sequences, of gap + 2 n_symbols steps: categories, for an estimator with ``embedding_dim``, or with
        `one_hot` vectors.
    y : int array of shape (n_samples, steps)
        The categories to answer, one per step, for a classifier with ``return_sequences=True``.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    Arjovsky, Shah & Bengio (2016), Unitary evolution recurrent neural networks. ICML. The copying memory problem.

    Examples
    --------
    >>> from skrnn.datasets import make_copy_memory
    >>> X, y = make_copy_memory(n_samples=2, gap=5, n_symbols=3, random_state=0)
    >>> X[0].tolist()
    [4, 7, 5, 8, 8, 8, 8, 9, 8, 8, 8]
    >>> y[0].tolist()
    [8, 8, 8, 8, 8, 8, 8, 8, 4, 7, 5]
    """
    n_samples, gap, n_symbols, alphabet_size = int(n_samples), int(gap), int(n_symbols), int(alphabet_size)
    symbols = check_random_state(random_state).randint(alphabet_size, size=(n_samples, n_symbols))
    blank, delimiter = alphabet_size, alphabet_size + 1
    X = np.full((n_samples, gap + 2 * n_symbols), blank, dtype=np.int64)
    y = X.copy()
    X[:, :n_symbols] = symbols
    X[:, n_symbols + gap - 1] = delimiter
    y[:, n_symbols + gap :] = symbols
    return (np.eye(alphabet_size + 2)[X] if one_hot else X), y


@validate_params(
    {
        "n_samples": [at_least(1)],
        "n_steps": [Integral, tuple, list],
        "n_relevant": [Options(Integral, {2, 3})],
        "one_hot": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_temporal_order(n_samples=100, n_steps=(100, 110), *, n_relevant=2, one_hot=False, random_state=None):
    """Make the temporal order problem: which of X and Y came first, second, and third, in a sequence of distractors.

    A sequence begins with the symbol E and ends with B. Between them are a, b, c and d, uniform and independent, and
    two or three relevant symbols far apart from each other, each of them X or Y with equal probability. Their order is
    the class.

    ======================  =========================  ==================================
    Relevant symbols        2 (experiment 6a)          3 (experiment 6b)
    Positions, of 100       10 to 20, 50 to 60         10 to 20, 33 to 43, 66 to 76
    Classes                 4                          8
    Steps from last to B    40 or more                 24 or more
    ======================  =========================  ==================================

    Lengths and positions are uniform and independent, and both ends of their ranges are included.

    Parameters
    ----------
    n_samples : int, default=100
        Number of sequences.
    n_steps : int or (int, int), default=(100, 110)
        The minimum and maximum length, or the length of every sequence; 20 or more. Positions are those of the table in
        hundredths of the minimum, rounded down.
    n_relevant : {2, 3}, default=2
        Number of relevant symbols of a sequence.
    one_hot : bool, default=False
        Whether X holds one-hot vectors of the symbols, as in the paper, instead of categories.
    random_state : int, RandomState instance or None, default=None
        Source of all randomness; pass an int for reproducible data. A larger number of samples then begins with the
        same ones.

    Returns
    -------
    X : list of n_samples arrays of shape (T_i,) or (T_i, 8)
        The sequences: the symbols E, B, a, b, c, d, X, Y as the int categories 0 to 7, for an estimator with
        ``embedding_dim``; or with `one_hot` float64 vectors. If `n_steps` is an int they are an array of shape
        (n_samples, n_steps) or (n_samples, n_steps, 8).
    y : int array of shape (n_samples,)
        The class. Of two symbols XX is 0, XY 1, YX 2, YY 3 (Q, R, S, U in the paper). Of three XXX is 0, XXY 1, XYX 2,
        XYY 3, YXX 4, YXY 5, YYX 6, YYY 7 (Q, R, S, U, V, A, B, C).

    Raises
    ------
    ValueError
        If a parameter is out of its range, or `n_steps` is not a pair of lengths.

    Notes
    -----
    Positions count from 1, the step of E: the number of steps from the last relevant symbol to B is then that of table
    10 of the paper.

    References
    ----------
    Hochreiter & Schmidhuber (1997), Long short-term memory. Neural Computation 9, 1735-1780. Experiment 6.

    Examples
    --------
    >>> from skrnn.datasets import make_temporal_order
    >>> X, y = make_temporal_order(n_samples=500, n_steps=(20, 22), random_state=0)
    >>> "".join("EBabcdXY"[symbol] for symbol in X[0]), int(y[0])
    ('EbdYbdccdaXadddddbdaB', 2)
    >>> [len(x) for x in X[:5]]
    [21, 22, 20, 21, 20]
    """
    min_length, max_length = _min_and_max_length(n_steps, 20, "so that the relevant symbols are apart")
    n_samples, n_relevant = int(n_samples), int(n_relevant)
    # (n_samples, 1 + 2 n_relevant + max_length): in the row of a sequence the numbers from which its length, its
    # positions, its relevant symbols and the others follow
    draws = check_random_state(random_state).uniform(size=(n_samples, 1 + 2 * n_relevant + max_length))
    lengths, rows = _integers(draws[:, 0], min_length, max_length), np.arange(n_samples)
    categories = _integers(draws[:, 1 + 2 * n_relevant :], SYMBOLS.index("a"), SYMBOLS.index("d"))
    categories[:, 0], categories[rows, lengths - 1] = SYMBOLS.index("E"), SYMBOLS.index("B")
    y = np.zeros(n_samples, dtype=np.int64)
    for i, (first, last) in enumerate(POSITIONS[n_relevant]):
        position = _integers(draws[:, 1 + i], first * min_length // 100, last * min_length // 100)
        is_y = _integers(draws[:, 1 + n_relevant + i], 0, 1)
        categories[rows, position - 1] = SYMBOLS.index("X") + is_y
        y = 2 * y + is_y
    return _in_form_of(n_steps, np.eye(len(SYMBOLS))[categories] if one_hot else categories, lengths), y


@validate_params(
    {
        "n_samples": [at_least(1)],
        "n_steps": [Integral, tuple, list],
        "delay": [at_least(1)],
        "values": [StrOptions({"real", "binary"})],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_delayed_echo(n_samples=100, n_steps=50, *, delay=5, values="real", random_state=None):
    """Make the delayed echo: repeat at each step the input of an earlier step, y[t] = x[t - delay].

    Inputs are independent, so that no step can be predicted from another. The first `delay` steps have nothing to
    repeat and no target.

    Parameters
    ----------
    n_samples : int, default=100
        Number of sequences.
    n_steps : int or (int, int), default=50
        Number of steps of every sequence, or the minimum and maximum length: lengths are then uniform, with both
        included. More than `delay`.
    delay : int, default=5
        Number of steps from an input to its echo.
    values : {"real", "binary"}, default="real"
        Inputs uniform in [-0.5, 0.5), whose echo is for a regressor; or 0 and 1 with equal probability, whose echo is
        for a classifier.
    random_state : int, RandomState instance or None, default=None
        Source of the lengths and inputs; pass an int for reproducible data. A larger number of samples then begins with
        the same ones.

    Returns
    -------
    X : float64 array of shape (n_samples, n_steps, 1), or a list of n_samples arrays of shape (T_i, 1)
        The sequences; a list if `n_steps` is a pair.
    y : array of shape (n_samples, n_steps), or a list of n_samples arrays of shape (T_i,)
        The echo, for an estimator with ``return_sequences=True``: float64 with NaN at steps without a target, or of
        binary values int with -1 there. Estimators leave these steps out of the loss and of the score.

    Raises
    ------
    ValueError
        If a parameter is out of its range, `n_steps` is not a pair of lengths, or a sequence would have no echo.

    Notes
    -----
    The constant prediction 0 for real values has a mean squared error of 1/12, their variance; any constant prediction
    for binary values is right at half of the steps.

    Jaeger drives a network with one long series and leaves out its first steps, so that there is an earlier input for
    every target. Steps without a target do the same for sequences. Others use targets of 0 there:
    ``np.nan_to_num(y)``. Jaeger's memory capacity is the sum over all delays of the squared correlation of the echo
    with its prediction.

    References
    ----------
    Jaeger (2001), Short term memory in echo state networks. GMD Report 152, German National Research Center for
    Information Technology.

    Examples
    --------
    >>> from skrnn.datasets import make_delayed_echo
    >>> X, y = make_delayed_echo(n_samples=2, n_steps=8, delay=3, values="binary", random_state=0)
    >>> X[0, :, 0].astype(int).tolist()
    [1, 1, 1, 0, 1, 0, 1, 1]
    >>> y[0].tolist()
    [-1, -1, -1, 1, 1, 1, 0, 1]
    """
    n_samples, delay = int(n_samples), int(delay)
    min_length, max_length = _min_and_max_length(n_steps, delay + 1, f"more than delay={delay}")
    # (n_samples, 1 + max_length): in the row of a sequence the number from which its length follows, and its inputs
    draws = check_random_state(random_state).uniform(size=(n_samples, 1 + max_length))
    lengths, inputs = _integers(draws[:, 0], min_length, max_length), draws[:, 1:]
    x, none = (inputs - 0.5, np.nan) if values == "real" else (_integers(inputs, 0, 1), -1)
    y = np.full_like(x, none)
    y[:, delay:] = x[:, :-delay]
    X = x[:, :, np.newaxis].astype(np.float64)
    return _in_form_of(n_steps, X, lengths), _in_form_of(n_steps, y, lengths)
