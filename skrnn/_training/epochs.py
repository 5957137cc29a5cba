"""How long training is, where it is counted in updates: numbers of epochs."""

import math

AUTO = "auto"
# max_iter="auto"
UPDATES = 2000
MIN_EPOCHS = 20
# In more epochs small sets of numbers are learned by heart with their noise. Labels gain from more, unless all are one
# batch: without the noise of batches, training amplifies the rounding of its sums
MAX_EPOCHS, MAX_EPOCHS_OF_LABELS = 200, 1000
LBFGS_ITERATIONS = 200
# n_iter_no_change="auto"
PATIENCE_UPDATES = 400
MIN_PATIENCE_EPOCHS = 10


def count_updates(objective, batches, parameters):
    """Updates of an epoch, about, or None where no parameter asks for them.

    Parameters
    ----------
    objective : Objective, or anything with ``n_updates(batches)``
    batches : Batches or Windows
    parameters : mapping
    """
    if AUTO in (parameters["max_iter"], parameters["n_iter_no_change"]):
        return objective.n_updates(batches)
    return None


def max_epochs(max_iter, n_updates, of_labels):
    """The parameter `max_iter` as a number, for epochs of so many updates with a loss of labels, or of numbers."""
    if max_iter != AUTO:
        return int(max_iter)
    most = min(n_updates * MAX_EPOCHS, MAX_EPOCHS_OF_LABELS) if of_labels else MAX_EPOCHS
    return min(max(math.ceil(UPDATES / n_updates), MIN_EPOCHS), most)


def max_iterations(max_iter):
    """The parameter `max_iter` as a number of iterations of L-BFGS, which are no updates of a batch."""
    return LBFGS_ITERATIONS if max_iter == AUTO else int(max_iter)


def patience(n_iter_no_change, n_updates, to_the_end):
    """The parameter `n_iter_no_change` as a number, for epochs of so many updates.

    Parameters
    ----------
    n_iter_no_change : int or "auto"
    n_updates : int
    to_the_end : bool
        Whether "auto" is to end no training: while the learning rate goes down to 0, the loss of the training data is
        noise that is expected to end.
    """
    if n_iter_no_change != AUTO:
        return int(n_iter_no_change)
    return math.inf if to_the_end else max(math.ceil(PATIENCE_UPDATES / n_updates), MIN_PATIENCE_EPOCHS)
