"""What `verbose` shows while a model is trained: aligned lines, or a bar where that can move."""

import sys
import threading
from importlib.util import find_spec
from itertools import count
from multiprocessing import current_process
from time import perf_counter
from typing import NamedTuple

from skrnn._training.watching import NOTHING, Watch
from skrnn._training.words import WIDTH, closing_words, duration, number, score_matters, unit_of

# Of a fit of more epochs than this not every one has a line, but no longer is nothing said than these seconds, this
# part of the time so far, or an epoch
MAX_LINES, MAX_SILENCE, MAX_PART_OF_SILENCE = 100, 1.0, 0.01
PENALTY_MATTERS = 0.01  # as a fraction of the loss
# The modules of what sys.stdout may be: that of a notebook, and one above which another bar moves already
NOTEBOOK, UNDER_A_BAR = "ipykernel.iostream", "rich.file_proxy"


def report_for(verbose, alone=True):
    """The `Watch` for an estimator's `verbose`: a bar only where nothing else looks on, which may draw one, too."""
    if verbose > 1 and alone and _can_move():
        from skrnn._training.bar import Bar

        return Bar(_of_stdout() == NOTEBOOK)
    return Lines() if verbose else NOTHING


def check_verbose(verbose):
    """Raise an ImportError where `verbose` asks for a bar, and rich is not there to draw it."""
    if verbose > 1 and _can_move() and find_spec("rich") is None:
        raise ImportError(
            f"verbose={verbose} shows a bar that moves, which needs the package rich: pip install skrnn[progress], or "
            "set verbose=1"
        )


def _can_move():
    """Whether what is printed is seen at once and may be printed over."""
    if sys.stdout is None or _of_stdout() == UNDER_A_BAR or worker() is not None:
        return False
    is_terminal = getattr(sys.stdout, "isatty", None)       # which not all have that stand in for a file
    return _of_stdout() == NOTEBOOK or (is_terminal is not None and is_terminal())


def _of_stdout():
    """The module that knows what sys.stdout is."""
    return type(sys.stdout).__module__


def worker():
    """The number of this thread or process if others may print at the same time, or None."""
    alone = threading.current_thread() is threading.main_thread() and current_process().name == "MainProcess"
    return None if alone else threading.get_native_id()


def say(text):
    """Print lines all at once and now, also to what has no `flush`."""
    print(text + "\n", end="", flush=hasattr(sys.stdout, "flush"))


class Row(NamedTuple):
    """What a line says."""

    epoch: object       # Epoch, its record
    n_clipped: int      # updates since the line before
    seconds: float      # of an epoch, the mean since the line before
    left: float         # seconds until the last epoch, if nothing ends training before


class Column(NamedTuple):
    """A part of the lines."""

    title: str
    width: int
    text: object                                # that of a `Row`
    matters: object = lambda row: True          # whether a `Row` has something to say here


COLUMNS = (
    Column("loss", 9, lambda row: number(row.epoch.loss)),
    Column(
        "penalty", 9, lambda row: number(row.epoch.penalty),
        lambda row: row.epoch.penalty > PENALTY_MATTERS * abs(row.epoch.loss),
    ),
    Column(
        "val. loss", 9, lambda row: number(row.epoch.validation_loss),
        lambda row: row.epoch.validation_loss is not None,
    ),
    Column("score", 9, lambda row: number(row.epoch.score), lambda row: score_matters(row.epoch)),
    Column("gradient", 9, lambda row: number(row.epoch.grad_norm)),
    Column("clipped", 7, lambda row: str(row.n_clipped), lambda row: row.n_clipped > 0),
    Column("time", 7, lambda row: duration(row.seconds)),
    Column("left", 7, lambda row: duration(row.left)),
)


def epochs_between_lines(n_epochs):
    """1, 2, 5, 10, 20, 50, …: the first with which so many epochs have at most `MAX_LINES` lines."""
    steps = (first * 10**power for power in count() for first in (1, 2, 5))
    return next(step for step in steps if n_epochs <= MAX_LINES * step)


def line(row, unit, n, n_last, titles_before="", worker=None):
    """The titles of a line, and the line: two texts of the same columns.

    Parameters
    ----------
    row : Row
    unit : str
        What it is of, the title of its number.
    n, n_last : int
        Its number, and that of the last one.
    titles_before : str
        Those of the line before, none of which is left out.
    worker : int, optional
        Beside lines of which others are printed, so that all have the same columns.
    """
    columns = [
        column for column in COLUMNS
        if worker is not None or column.matters(row) or column.title in titles_before
    ]
    texts = [column.text(row) for column in columns]
    number_of = f"{n}/{n_last}"
    columns.insert(0, Column(unit, 9, None))
    texts.insert(0, number_of if len(number_of) <= 9 else str(n))
    if worker is not None:
        columns.insert(0, Column("worker", 7, None))
        texts.insert(0, str(worker))
    titles = "  ".join(column.title.rjust(column.width) for column in columns)
    return titles, "  ".join(text.rjust(column.width) for text, column in zip(texts, columns, strict=True))


class Lines(Watch):
    """Prints a line for each epoch, under titles; of many epochs for some of them; and at the end why it is the end."""

    def begin(self, model, max_iter):
        """Nothing is told yet."""
        self.n_before = self.n_told = model.history.n_epochs
        self.n_last, self.step = self.n_before + max_iter, epochs_between_lines(max_iter)
        self.began = self.told = perf_counter()
        self.worker, self.titles = worker(), ""

    def end_epoch(self, model, stopped):
        """Print a line, if it is time for one."""
        n = model.history.n_epochs
        due = (n - self.n_before) % self.step == 0 or n in (self.n_before + 1, self.n_last)
        now = perf_counter()
        if due or now - self.told > max(MAX_SILENCE, MAX_PART_OF_SILENCE * (now - self.began)):
            self._tell(model)
        return False

    def end(self, model, reason):
        """Print the last epoch, if it has no line, and why it is the last."""
        if model.history.n_epochs > self.n_told:
            self._tell(model)
        of_worker = "" if self.worker is None else f"{self.worker:>7}  "
        seconds = perf_counter() - self.began
        lines = closing_words(model, self.n_before, reason, seconds, WIDTH - len(of_worker))
        say("\n".join(of_worker + line for line in lines))

    def _tell(self, model):
        now, n, history = perf_counter(), model.history.n_epochs, model.history
        clipped_before = history.epochs[self.n_told - 1].n_clipped if self.n_told else 0
        row = Row(
            history.last, history.last.n_clipped - clipped_before, (now - self.told) / (n - self.n_told),
            (now - self.began) / (n - self.n_before) * (self.n_last - n),
        )
        self.n_told, self.told = n, now
        titles, text = line(row, unit_of(model), n, self.n_last, self.titles, self.worker)
        say(text if titles == self.titles else f"{titles}\n{text}")
        self.titles = titles
