"""What `verbose` prints while a model is trained."""

from skrnn._training.watching import ALL_EPOCHS, NOTHING, Watch


def report_for(verbose):
    """The `Watch` for an estimator's `verbose`."""
    return Report() if verbose else NOTHING


class Report(Watch):
    """Prints a line for each epoch."""

    def end_epoch(self, model, stopped):
        """Print the last epoch."""
        print(model.history.last_in_words())
        return False

    def end(self, model, reason):
        """Print why training ended before its last epoch."""
        if reason != ALL_EPOCHS:
            print(reason)
