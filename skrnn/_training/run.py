"""The training of all estimators: a model to start from, its objective, and epochs or L-BFGS until it is trained.

`parameters` are those of an estimator, by name: ``vars`` of it, which subclasses with other arguments have, too.
"""

from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter

import numpy as np
from sklearn.utils import check_random_state

from skrnn._training import epochs
from skrnn._training.averaging import Average
from skrnn._training.epochs import AUTO
from skrnn._training.lbfgs import train_lbfgs
from skrnn._training.loop import Best, Stopping, train, train_epoch
from skrnn._training.model import Model
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.report import report_for
from skrnn._training.schedules import SCHEDULES
from skrnn._training.watching import NOTHING, Watches, watched
from skrnn._training.words import duration, in_words

# What learning_rate="auto" is in `fit`, and in `partial_fit`, which does not know how many calls there will be
LEARNING_RATE, LEARNING_RATE_OF_PARTS = "cosine", "constant"


def starting_model(fitted, network, loss, dtype, parameters):
    """The model that `fit` starts from.

    Parameters
    ----------
    fitted : Model or None
        One that is continued, as `warm_start` does: its parameters and its history. None makes a new one.
    network : RecurrentNetwork
    loss : Loss
    dtype : dtype
        Of a new model.
    parameters : mapping

    Raises
    ------
    MemoryError
        When there is no room for the parameters, naming what makes them so many.
    """
    random_state = own_random_state(parameters["random_state"])
    if fitted is not None:
        return Model(network, loss, fitted.theta.copy(), random_state, fitted.history.copy())
    with naming_memory(network, dtype, parameters):
        theta = network.initialize(random_state, dtype)
    return Model(network, loss, theta, random_state)


def given_model(network, loss, theta, parameters):
    """A model with a theta that was not trained here."""
    return Model(network, loss, theta, own_random_state(parameters["random_state"]))


@contextmanager
def naming_memory(network, dtype, parameters, vectors=""):
    """Raise a MemoryError that names what makes parameters, and `vectors` of their length, so many."""
    try:
        yield
    except MemoryError as error:
        size = network.layout.size * np.dtype(dtype).itemsize
        unit, text = next((u, t) for u, t in ((1e9, "GB"), (1e6, "MB"), (1, "bytes")) if size >= u)
        embedding = "" if parameters["embedding_dim"] is None else f" and embedding_dim={parameters['embedding_dim']}"
        patches = "" if network.patch is None else f" and patches of {network.patch[0]} steps"
        sizes = f"hidden_size={parameters['hidden_size']}{embedding}{patches}"
        raise MemoryError(f"{sizes} makes {size / unit:.0f} {text} of parameters{vectors}: there is no room") from error


def next_model(fitted, network, loss, dtype, parameters):
    """The model that `partial_fit` trains: a copy of the fitted one with all its state, or a new one."""
    if fitted is None:
        return starting_model(None, network, loss, dtype, parameters)
    return replace(fitted.copy(), network=network, loss=loss)


def forget_unseen(model, unseen):
    """Embed categories that are not trained on as zeros: a bool array (n_categories,) for each table, by its name."""
    for table, rows in unseen.items():
        model.parameters[table][rows] = 0


def begin_with_constant(model, examples, whole):
    """Make a new model predict the constant that has the least loss, from which training begins.

    `whole` is that of `Loss.starting_scores`.
    """
    model.parameters["head.V"][:] = 0
    begin_near_constant(model, *examples.with_weight(), whole=whole)


def begin_near_constant(model, targets, weights=None, whole=False):
    """Make the constant that has the least loss on targets the bias of a new model."""
    model.parameters["head.c"][:] = model.loss.starting_scores(targets, weights, model.network.n_outputs, whole)


def own_random_state(random_state):
    """A RandomState for an estimator's parameter.

    Not the global one for None, which others draw from, too, and of which a pickle would hold a copy.
    """
    generator = check_random_state(random_state)
    return generator if random_state is not None else np.random.RandomState(generator.randint(2**31 - 1))


def regularization(model, parameters):
    """Arguments of an objective: the penalty, unless the optimizer decays the weights by itself, and dropout."""
    optimizer = OPTIMIZERS.get(parameters["solver"])
    decays = optimizer is not None and optimizer.decays_weights
    return {
        "alpha": 0.0 if decays else float(parameters["alpha"]), "dropout": float(parameters["dropout"]),
        "recurrent_dropout": float(parameters["recurrent_dropout"]), "random_state": model.random_state,
    }


def train_model(model, objective, batches, parameters, validate=None, watch=NOTHING):
    """Train a model until it does not get better or the epochs are over, as `fit` does.

    Parameters
    ----------
    model : Model
        Changed in place. After Ctrl-C it is as far as it got; KeyboardInterrupt is raised again.
    objective : Objective, or anything with ``gradients(theta, batch)`` and ``ranges``
        For what is "auto" in the parameters also with ``n_updates(batches)``.
    batches : iterable
        What an epoch consists of, as in `train`.
    parameters : mapping
    validate : callable, optional
        `Validation` of theta on data that are held out, for early stopping.
    watch : Watch
        Beside that of `verbose`.
    """
    n_epochs, n_updates = model.history.n_epochs, epochs.count_updates(objective, batches, parameters)
    _set_optimizer(model, parameters, n_updates)
    stopping = Stopping(
        model.max_iter, parameters["tol"],
        epochs.patience(parameters["n_iter_no_change"], n_updates, model.schedule.ends and validate is None),
        validate, n_epochs, average=_average(n_epochs, model.max_iter, parameters["average"]),
    )
    if validate is not None and n_epochs:       # trained before
        stopping.best = Best(validate(model.theta).score, model.theta.copy(), model.history.last.best_iter)
    watch = _with_report(watch, parameters)

    def to_the_end():
        try:
            reason = train(model, objective, batches, stopping, parameters["max_grad_norm"], watch)
            stopping.restore_best(model.theta)
        except KeyboardInterrupt:
            stopping.restore_best(model.theta)
            raise
        return reason

    watched(watch, model, to_the_end)


def train_model_by_lbfgs(model, objective, n_samples, parameters, watch=NOTHING):
    """Train a model by L-BFGS on all samples at once, in place."""
    model.max_iter = epochs.max_iterations(parameters["max_iter"])
    watch = _with_report(watch, parameters)
    watched(watch, model, lambda: train_lbfgs(
        model, objective, n_samples, max_iter=model.max_iter, max_fun=int(parameters["max_fun"]), tol=parameters["tol"],
        watch=watch,
    ))
    model.optimizer = model.schedule = None


def _with_report(watch, parameters):
    """A watch beside that of `verbose`."""
    report = report_for(parameters["verbose"], alone=watch is NOTHING)
    watches = [one for one in (report, watch) if one is not NOTHING]
    return watches[0] if len(watches) == 1 else Watches(watches) if watches else NOTHING


def train_model_one_epoch(model, objective, batches, parameters):
    """Train a model for one epoch, in place, as `partial_fit` does: with the optimizer of the last call."""
    n_updates = epochs.count_updates(objective, batches, parameters)
    if type(model.optimizer) is not OPTIMIZERS[parameters["solver"]]:
        _set_optimizer(model, parameters, n_updates, LEARNING_RATE_OF_PARTS)
    elif parameters["learning_rate"] == AUTO and type(model.schedule) is not SCHEDULES[LEARNING_RATE_OF_PARTS]:
        model.schedule = SCHEDULES[LEARNING_RATE_OF_PARTS](model.schedule.initial)      # after fit
    patience = epochs.patience(parameters["n_iter_no_change"], n_updates, to_the_end=False)
    stopping = Stopping(1, parameters["tol"], patience)
    began = perf_counter()
    train_epoch(model, objective, batches, stopping, parameters["max_grad_norm"])
    if parameters["verbose"]:
        print(f"Epoch {model.history.n_epochs}: {in_words(model.history.last)}, {duration(perf_counter() - began)}")


def _average(n_epochs_before, max_iter, fraction):
    """The average over a fraction of max_iter epochs at the end, or None."""
    if not fraction:
        return None
    return Average(n_epochs_before + max_iter - max(1, round(fraction * max_iter)) + 1)


def _set_optimizer(model, parameters, n_updates, auto=LEARNING_RATE):
    """A new optimizer and its schedule, over the number of epochs that the model notes.

    Parameters
    ----------
    model : Model
    parameters : mapping
    n_updates : int or None
        Of an epoch.
    auto : entry of ``SCHEDULES``
        What the learning rate "auto" is.
    """
    decayed = model.network.layout.weight_ranges()
    solver = parameters["solver"]
    with naming_memory(model.network, model.dtype, parameters, f" and averages of solver={solver!r} of their length"):
        model.optimizer = OPTIMIZERS[solver].make(model.theta, parameters, decayed)
    name = parameters["learning_rate"]
    model.max_iter = epochs.max_epochs(parameters["max_iter"], n_updates, not model.loss.is_regression)
    model.schedule = SCHEDULES[auto if name == AUTO else name](
        model.optimizer.learning_rate, parameters["power_t"], model.max_iter, model.history.n_epochs,
        model.history.last.n_plateaus,
    )
