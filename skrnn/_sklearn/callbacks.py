"""Callbacks of scikit-learn 1.9, told of fits; estimators of older versions have none."""

from copy import copy
from functools import wraps
from importlib.util import find_spec

if find_spec("sklearn.callback"):
    from sklearn.callback import CallbackSupportMixin, with_callbacks
else:

    class CallbackSupportMixin:
        """What estimators inherit before scikit-learn 1.9, which has no callbacks: nothing, so no `set_callbacks`."""


CALLBACKS, CONTEXT, TO_TEAR_DOWN = "_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown"
# What scikit-learn keeps of callbacks with an estimator: they look on at its fits, and are no part of what it is
OF_CALLBACKS = {CALLBACKS, CONTEXT, TO_TEAR_DOWN, "_parent_callback_ctx"}


def has_callbacks(estimator):
    """Whether callbacks are set on an estimator, by `set_callbacks` or by what it is a part of."""
    return CALLBACKS in vars(estimator)


def without_callbacks(attributes):
    """Attributes of an estimator by name, without those of callbacks."""
    return {name: value for name, value in attributes.items() if name not in OF_CALLBACKS}


def data_of_task(X, y, sample_weight=None):
    """What callbacks may ask of a task for: its data, as keywords."""
    return {"X": X, "y": y, "metadata": {} if sample_weight is None else {"sample_weight": sample_weight}}


def begin_fit_task(estimator, data, max_subtasks=0):
    """Set the callbacks of an estimator up, and tell them that its fit begins; return the context of this task.

    Parameters
    ----------
    estimator : estimator
        The one that the callbacks are set on: some know estimators by their identity.
    data : dict
        Of `data_of_task`.
    max_subtasks : int
        How many tasks it consists of, at most.
    """
    context = estimator._init_callback_context(max_subtasks=max_subtasks)
    return context.call_on_fit_task_begin(estimator=estimator, **data)


def under_callbacks(estimator, work):
    """work(), after which the callbacks that `begin_fit_task` has set up in it are torn down, whatever happened."""
    return _torn_down_after(estimator, work) if has_callbacks(estimator) else work()


def _torn_down_after(estimator, work):
    try:
        return with_callbacks(lambda estimator: work())(estimator)
    except BaseException as error:
        if CONTEXT in vars(estimator):      # Ctrl-C came before the end of the with statement, or within
            try:
                with_callbacks(lambda estimator: None)(estimator)
            except Exception as failure:
                raise error from failure
            finally:
                for name in (CONTEXT, TO_TEAR_DOWN):        # of a teardown that was interrupted twice
                    vars(estimator).pop(name, None)
        raise


def one_task(fit):
    """A `fit` in which there are no steps for callbacks to follow: they are told of it as one task.

    They see the estimator as it was before; it is fitted at the end, all at once, so that an error of theirs leaves it
    as it was. What they set of it themselves stays.
    """

    @wraps(fit)
    def told(estimator, X, y=None):
        if not has_callbacks(estimator):
            return fit(estimator, X, y)
        fitted, data = copy(estimator), data_of_task(X, y)
        before = dict(vars(fitted))

        def work():
            context = begin_fit_task(estimator, data)
            result = fit(fitted, X, y)
            context.call_on_fit_task_end(estimator=estimator, **data, reconstruction_attributes=lambda: vars(fitted))
            return result

        result = under_callbacks(estimator, work)
        after, absent = vars(fitted), object()
        kept = {name: value for name, value in vars(estimator).items() if name in after or name not in before}
        learned = {name: value for name, value in after.items() if value is not before.get(name, absent)}
        estimator.__dict__ = kept | learned
        return estimator if result is fitted else result

    return told


def fit_in_parts(estimator, X, y, n_parts, work):
    """The fit of an estimator that fits others: callbacks that are set on it follow their fits, too.

    Parameters
    ----------
    estimator : estimator
    X, y
        What it is fitted to.
    n_parts : int
        How many others it fits.
    work : callable
        ``work(fit_part)`` returns the fitted attributes by name; ``fit_part(name, other, X, y)`` returns another
        estimator that has been fitted, as a task of this name.
    """
    if not hasattr(estimator, "set_callbacks"):
        return work(lambda name, other, X, y: other.fit(X, y))

    def told():
        data = data_of_task(X, y)
        context = begin_fit_task(estimator, data, n_parts)

        def fit_part(name, other, X, y):
            task = context.subcontext(task_name=name)
            with task.propagate_callback_context(other):
                task.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
                fitted = other.fit(X, y)
                task.call_on_fit_task_end(estimator=estimator, X=X, y=y)
            return fitted

        attributes = work(fit_part)
        context.call_on_fit_task_end(estimator=estimator, **data, reconstruction_attributes=attributes)
        return attributes

    return _torn_down_after(estimator, told)
