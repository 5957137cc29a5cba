"""scikit-learn's callbacks, told of the epochs of a fit."""

from skrnn._sklearn import begin_fit_task, data_of_task, has_callbacks
from skrnn._training.watching import FAILED, INTERRUPTED, NOTHING, Watch


def watch_for_callbacks(estimator, X, y, sample_weight, attributes_of):
    """The `Watch` that tells the callbacks of an estimator of its fit; `NOTHING` if it has none.

    Parameters
    ----------
    estimator : estimator
        The one that `fit` was called of.
    X, y, sample_weight
        Arguments of `fit`.
    attributes_of : callable
        ``attributes_of(model)`` returns the fitted attributes of the estimator that a trained model gives, by name.
    """
    if not has_callbacks(estimator):
        return NOTHING
    return CallbackWatch(estimator, data_of_task(X, y, sample_weight), attributes_of)


class CallbackWatch(Watch):
    """Tells callbacks of a fit and of its epochs, in the context of both; any of them may ask to stop.

    Parameters
    ----------
    estimator, attributes_of
        As in `watch_for_callbacks`.
    data : dict
        Of `data_of_task`.
    """

    def __init__(self, estimator, data, attributes_of):
        self.estimator, self.data, self.attributes_of = estimator, data, attributes_of

    def begin(self, model, max_iter):
        """Set the callbacks up."""
        self.fit = begin_fit_task(self.estimator, self.data, max_iter)

    def begin_epoch(self):
        """An epoch is a subtask of the fit."""
        self.epoch = self.fit.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end_epoch(self, model, stopped):
        """Whether a callback asks to stop; those that want it get an estimator that is fitted up to here."""
        return self._end(self.epoch, stopped)

    def end(self, model, reason):
        """The fit has ended, if it has."""
        if reason not in (FAILED, INTERRUPTED):
            self._end(self.fit, model.frozen_copy)

    def _end(self, task, model_of):
        return task.call_on_fit_task_end(
            estimator=self.estimator, **self.data, reconstruction_attributes=lambda: self.attributes_of(model_of())
        )
