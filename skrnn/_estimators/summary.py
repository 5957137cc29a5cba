"""What diagrams show of a net that is fitted: its layers, and how it was trained, in words."""

import math

from skrnn._training.words import duration, number, score_matters, unit_of


def summary_of(model):
    """What a person wants to know first of a fitted model, a dict of texts by title.

    Parameters
    ----------
    model : Model
    """
    network, history = model.network, model.history
    inputs = _counted(network.layers[0].n_inputs, "input")
    both = ", in both directions" if network.bidirectional else ""
    summary = {
        "Layers": f"{inputs} → {_layers(network)} → {_counted(network.n_outputs, 'output')}{both}",
        "Weights": f"{model.theta.size:,}, {model.dtype}",
    }
    if not history.n_epochs:
        summary["Training"] = "none: the parameters were set"
    else:
        last = history.last
        summary["Training"] = _epochs(model)
        summary["Loss"] = number(last.loss) + (f", and a penalty of {number(last.penalty)}" if last.penalty else "")
        if last.score is not None and not math.isnan(last.best_score):
            summary["Validation"] = f"{_best(history, last)} in epoch {last.best_iter}, the best one"
    if model.seconds is not None:
        summary["Time"] = duration(model.seconds)
    return summary


def caption_of(model):
    """The shortest summary of a fitted model."""
    trained = f" · {_counted(model.history.n_epochs, unit_of(model))}" if model.history.n_epochs else ""
    time = f" in {duration(model.seconds)}" if trained and model.seconds is not None else ""
    return f"{_layers(model.network)} · {model.theta.size:,} weights{trained}{time}"


def _layers(network):
    return " → ".join(f"{layer.cell_name} {layer.n_units:,}" for layer in network.layers)


def _counted(n, what):
    return f"{n:,} {what}{'s' * (n != 1)}"


def _epochs(model):
    """How many, and of how many; the last training may be only the last part of it."""
    n, at_most = model.history.n_epochs, model.max_iter
    told = _counted(n, unit_of(model))
    return told if at_most is None or n > at_most else f"{told} of at most {at_most:,}"


def _best(history, last):
    """The loss and the score of what was held out, where they were best."""
    if not score_matters(last):
        return f"loss {number(-last.best_score)}"
    loss = history.epochs[last.best_iter - 1].validation_loss if last.best_iter <= history.n_epochs else None
    return f"score {number(last.best_score)}" + ("" if loss is None else f", loss {number(loss)}")
