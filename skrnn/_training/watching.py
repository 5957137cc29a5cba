"""What looks on while a model is trained: reports and callbacks, which may also end it."""

# Why training ended, where the loop has no other words for it
ALL_EPOCHS, ON_REQUEST = "The maximum number of epochs is reached.", "A callback asked to stop."
INTERRUPTED, FAILED = "Interrupted.", "Training failed."


class Watch:
    """What looks on while a model is trained. This one does nothing; a subclass has what it needs of these methods.

    An iteration of L-BFGS is an epoch. What a method raises ends training: an error as an error of training does,
    KeyboardInterrupt as Ctrl-C.
    """

    def begin(self, model, max_iter):
        """Training begins, of at most so many epochs."""

    def begin_epoch(self):
        """An epoch begins. L-BFGS may begin one more than it ends."""

    def end_epoch(self, model, stopped):
        """An epoch has ended, and its record is the last one of the model's history.

        Parameters
        ----------
        model : Model
            As training goes on with it: to look at only, now.
        stopped : callable
            Returns what the model would be if training ended here, a frozen copy, with the best or averaged parameters.

        Returns
        -------
        stop : bool
            Whether training is to end here.
        """
        return False

    def end(self, model, reason):
        """Training has ended, with its best or averaged parameters, or has failed; `reason` is a sentence.

        It is called wherever `begin` has returned.
        """


class Watches(Watch):
    """Several of them, which look on in their order.

    Parameters
    ----------
    watches : list of Watch
    """

    def __init__(self, watches):
        self.watches = watches

    def begin(self, model, max_iter):
        """Tell each of them, and those before one that raises an error that training ended."""
        for i, watch in enumerate(self.watches):
            try:
                watch.begin(model, max_iter)
            except BaseException:
                Watches(self.watches[:i]).end(model, FAILED)
                raise

    def begin_epoch(self):
        """Tell each of them."""
        for watch in self.watches:
            watch.begin_epoch()

    def end_epoch(self, model, stopped):
        """Ask each of them; whether one asks to stop."""
        return any([watch.end_epoch(model, stopped) for watch in self.watches])

    def end(self, model, reason):
        """Tell each of them, also when one raises an error."""
        if self.watches:
            first, *others = self.watches
            try:
                first.end(model, reason)
            finally:
                Watches(others).end(model, reason)


NOTHING = Watch()


def watched(watch, model, train):
    """Train a model of which `max_iter` is set, under a watch; `train` is called and returns why training ended."""
    watch.begin(model, model.max_iter)
    reason = FAILED
    try:
        reason = train()
    except KeyboardInterrupt:
        reason = INTERRUPTED
        raise
    finally:
        watch.end(model, reason)
