"""The bar that `verbose=2` shows while a model is trained. rich draws it."""

from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from skrnn._training.watching import Watch
from skrnn._training.words import WIDTH, closing_words, duration, number, score_matters, unit_of

PER_SECOND = 4      # pictures, so that the time goes on in long epochs, too


class Bar(Watch):
    """Shows how far training is, on one line that is written over; then why it has ended.

    Parameters
    ----------
    in_notebook : bool
        A notebook may lack the widgets with which rich would draw there; a line is written over without them.
    """

    def __init__(self, in_notebook):
        self.in_notebook = in_notebook

    def begin(self, model, max_iter):
        """Draw a bar of no epochs."""
        self.n_before, self.began = model.history.n_epochs, perf_counter()
        console = Console(force_jupyter=False, force_terminal=self.in_notebook or None)
        console.width = WIDTH if self.in_notebook else min(console.width, WIDTH)
        self.progress = Progress(
            TextColumn("{task.description}", table_column=cropped()), BarColumn(bar_width=None),
            TimeElapsedColumn(table_column=cropped()), TextColumn("{task.fields[now]}", table_column=cropped()),
            console=console, refresh_per_second=PER_SECOND, expand=True,
        )
        self.task = self.progress.add_task(self._so_far(model, max_iter), total=max_iter, now="")
        self.max_iter = max_iter
        self.progress.start()

    def end_epoch(self, model, stopped):
        """Move the bar."""
        n = model.history.n_epochs - self.n_before
        left = (perf_counter() - self.began) / n * (self.max_iter - n)
        self.progress.update(
            self.task, completed=n, description=self._so_far(model, self.max_iter),
            now=f"{duration(left)} left, {_now(model.history.last)}",
        )
        return False

    def end(self, model, reason):
        """Leave the bar as it is, and say why it is the end."""
        self.progress.stop()
        print("\n".join(closing_words(model, self.n_before, reason, perf_counter() - self.began)), flush=True)

    def _so_far(self, model, max_iter):
        return f"{unit_of(model)} {model.history.n_epochs}/{self.n_before + max_iter}"


def cropped():
    """A column that is cut where a terminal is narrow; not every one can show an ellipsis."""
    return Column(no_wrap=True, overflow="crop")


def _now(epoch):
    """What a line has room for."""
    if epoch.score is None:
        return f"loss {number(epoch.loss)}, gradient {number(epoch.grad_norm)}"
    score = f", score {number(epoch.score)}" if score_matters(epoch) else ""
    return f"loss {number(epoch.loss)}, val. loss {number(epoch.validation_loss)}{score}"
