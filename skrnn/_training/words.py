"""Numbers, times, and what is said of epochs and of the end of a training, for people."""

import math
from textwrap import wrap

from skrnn._training.watching import FAILED

WIDTH = 100             # of a line
UNITS = ((0.00995, 1e3, 1, "ms"), (0.9995, 1e3, 0, "ms"), (9.95, 1, 1, "s"), (59.5, 1, 0, "s"))     # of times below


def number(value):
    """A loss, score or norm in at most 9 characters, with four decimals where there is room for them; "" for None."""
    if value is None:
        return ""
    if value and math.isfinite(value) and not 0.01 <= abs(value) < 1e7:
        text = f"{value:.2e}"
        return text if len(text) <= 9 else f"{value:.1e}"
    return f"{value:.{max(0, min(4, 7 - len(f'{abs(value):.0f}')))}f}"


def duration(seconds):
    """A time in at most 7 characters, with its unit."""
    if not seconds:
        return "0 s"
    for limit, factor, digits, unit in UNITS:
        if seconds < limit:
            return f"{factor * seconds:.{digits}f} {unit}"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes}m {seconds:02d}s"
    if hours < 100:
        return f"{hours}h {minutes:02d}m"
    return f"{hours} h" if hours < 100_000 else f"{hours:.0e} h"


def unit_of(model):
    """What the records of a model in training are of."""
    return "iteration" if model.optimizer is None else "epoch"      # L-BFGS has no optimizer


def score_matters(epoch):
    """Whether something was held out, and its score is not simply the negative loss."""
    return epoch.score is not None and not math.isnan(epoch.score) and epoch.score != -epoch.validation_loss


def in_words(epoch):
    """The record of an epoch, on a line."""
    said = [f"loss {number(epoch.loss)}", f"penalty {number(epoch.penalty)}", f"gradient {number(epoch.grad_norm)}"]
    if epoch.validation_loss is not None:
        said.insert(2, f"validation loss {number(epoch.validation_loss)}")
    if score_matters(epoch):
        said.insert(3, f"score {number(epoch.score)}")
    return ", ".join(said)


def closing_words(model, n_before, reason, seconds, width=WIDTH):
    """Why training ended, and with what: a list of lines.

    Parameters
    ----------
    model : Model
    n_before : int
        Epochs before this training.
    reason : str
    seconds : float
    width : int
        Of a line, at most.
    """
    history, unit = model.history, unit_of(model)
    n = history.n_epochs - n_before
    said = f"{n} {unit}{'s' * (n != 1)} in {duration(seconds)}."
    last = history.last
    if n and reason != FAILED:
        if last.score is None:
            said += f" The loss of the last one is {number(last.loss)}."
        elif not math.isnan(last.best_score):
            by_score = any(map(score_matters, history.epochs[n_before:]))
            best = f"score of {number(last.best_score)}" if by_score else f"loss of {number(-last.best_score)}"
            said += f" The net has the parameters of epoch {last.best_iter}, with a validation {best}."
    lines = [f"{reason} {said}"] if len(reason) + len(said) < width else [reason, said]
    return [part for line in lines for part in wrap(line, width, break_on_hyphens=False, break_long_words=False)]
