"""scikit-learn's private functions, what differs between its versions, and what its own estimators alone have.

No other file imports from scikit-learn's private modules.
"""

from contextvars import copy_context
from copy import copy
from functools import wraps
from html import escape
from importlib.util import find_spec

import numpy as np
from sklearn import get_config, set_config
from sklearn.metrics._scorer import _BaseScorer as BaseScorer
from sklearn.utils import _safe_indexing as select
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import check_is_fitted, validate_data

if find_spec("sklearn.utils._repr_html"):
    from sklearn.utils._repr_html.estimator import _VisualBlock as VisualBlock
else:
    from sklearn.utils._estimator_html_repr import _VisualBlock as VisualBlock
if find_spec("sklearn.callback"):
    from sklearn.callback import CallbackSupportMixin, with_callbacks
else:

    class CallbackSupportMixin:
        """What estimators inherit before scikit-learn 1.9, which has no callbacks: nothing, so no `set_callbacks`."""


__all__ = [
    "BaseScorer", "CallbackSupportMixin", "DiagramMixin", "DocumentedMixin", "HasMethods", "Interval",
    "InvalidParameterError", "Options", "RealNotInt", "StrOptions", "begin_fit_task", "block_of_part", "check_columns",
    "check_feature_names_in", "check_one_hot", "check_output_config", "checks_parameters", "data_of_task",
    "fit_in_parts", "fitted_of", "has_callbacks", "learn_columns", "name_of_scorer", "one_task", "output_container",
    "select", "set_output_container", "set_settings", "settings_of", "table_of_texts", "under_callbacks",
    "validate_parameter_constraints", "validate_params", "without_callbacks",
]

DOCUMENTATION = "https://skrnn.readthedocs.io/en/stable"
CALLBACKS, CONTEXT, TO_TEAR_DOWN = "_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown"
# What scikit-learn keeps of callbacks with an estimator: they look on at its fits, and are no part of what it is
OF_CALLBACKS = {CALLBACKS, CONTEXT, TO_TEAR_DOWN, "_parent_callback_ctx"}
REQUESTS = "_metadata_request"
SETTINGS = {"_sklearn_output_config", REQUESTS}
FEATURES = ("n_features_in_", "feature_names_in_")


class DocumentedMixin:
    """Diagrams link to the documentation of an estimator and of its parameters; a base class before `BaseEstimator`."""

    _doc_link_module = "skrnn"
    _doc_link_template = f"{DOCUMENTATION}/api/{{estimator_module}}.{{estimator_name}}.html"


class DiagramMixin:
    """Diagrams show what was fitted; a base class before `BaseEstimator`.

    A subclass has ``_summary()``: of an estimator that is fitted a short text, and a dict of texts by title.
    """

    def _sk_visual_block_(self):
        caption, details = None, str(self)
        if self.__sklearn_is_fitted__():
            caption, summary = self._summary()
            # Before 1.7 all that there is room for is text
            details = "\n".join([details, "", *(f"{title}: {text}" for title, text in summary.items())])
        name = type(self).__name__
        return VisualBlock(
            "single", self, names=name, name_details=details, name_caption=caption, doc_link_label=name
        )

    def _get_params_html(self, *arguments, **keywords):
        """From 1.7 on a table, below which what was fitted stands where there is no table for that."""
        table = super()._get_params_html(*arguments, **keywords)
        return table if hasattr(super(), "_get_fitted_attr_html") else self._with_summary(table, below=True)

    def _get_fitted_attr_html(self, *arguments, **keywords):
        """From 1.9 on a table of the fitted attributes."""
        return self._with_summary(super()._get_fitted_attr_html(*arguments, **keywords))

    def _with_summary(self, table, below=False):
        """A table, and above or below it that of what was fitted."""
        if self.__sklearn_is_fitted__():
            own, summary = table._html_repr, table_of_texts("Trained network", self._summary()[1])
            table._html_repr = (lambda: own() + summary) if below else (lambda: summary + own())
        return table


def block_of_part(name, part):
    """What a diagram shows within an estimator that holds another one as its attribute `name`."""
    return VisualBlock("parallel", [part], names=[f"{name}: {type(part).__name__}"], name_details=[str(part)])


def table_of_texts(title, texts):
    """A table in scikit-learn's style of texts by title, which can be folded away, as HTML."""
    rows = "".join(
        f'<tr class="default"><td class="param" style="padding: .5em">{escape(name)}</td>'
        f'<td class="value" style="padding: .5em">{escape(text)}</td></tr>'
        for name, text in texts.items()
    )
    return (
        f'<div class="estimator-table"><details><summary>{escape(title)}</summary>'
        f'<table class="parameters-table"><tbody>{rows}</tbody></table></details></div>'
    )


def checks_parameters(method):
    """A method that fits or goes on: it validates the parameters of its estimator first, also of one that is fitted.

    The functions of scikit-learn that it calls then validate nothing. The configuration, which all estimators share,
    and NumPy's handling of errors, which is that of the context, are as before at the end, wherever Ctrl-C strikes: the
    end of a with statement, as in scikit-learn's own decorator, may be interrupted itself.
    """

    @wraps(method)
    def checked(estimator, *arguments, **keywords):
        before = get_config()
        if before["skip_parameter_validation"]:
            return copy_context().run(method, estimator, *arguments, **keywords)
        estimator._validate_params()
        try:
            set_config(skip_parameter_validation=True)
            result = copy_context().run(method, estimator, *arguments, **keywords)
            set_config(**before)
        except BaseException:
            set_config(**before)
            raise
        return result

    return checked


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


def learn_columns(estimator, columns):
    """``n_features_in_`` and, if there are names, ``feature_names_in_`` of an estimator that is fitted to a table."""
    fitted = copy(estimator)
    validate_data(fitted, columns, skip_check_array=True, reset=True)
    return {name: value for name, value in vars(fitted).items() if name in FEATURES}


def check_columns(estimator, columns, attributes):
    """Raise a ValueError, or warn, as scikit-learn does, if a table has other columns than in fit.

    `attributes` are those that `learn_columns` returned; those of the estimator are ignored.
    """
    if type(columns) is np.ndarray and columns.shape[1:] == (attributes["n_features_in_"],) and len(attributes) == 1:
        return      # an array has no names
    fitted = copy(estimator)
    for name in FEATURES:
        vars(fitted).pop(name, None)
    vars(fitted).update(attributes)
    validate_data(fitted, columns, skip_check_array=True, reset=False)


def settings_of(estimator):
    """What methods of scikit-learn's base classes have set of an estimator besides its parameters, a dict by name.

    The container of `set_output`, and of the methods of ``set_*_request`` which metadata each of them asks for.
    """
    own = {name: vars(estimator)[name] for name in SETTINGS if name in vars(estimator)}
    if REQUESTS in own:
        methods = vars(own[REQUESTS]).items()
        own[REQUESTS] = {name: dict(of_method.requests) for name, of_method in methods if name != "owner"}
    return own


def set_settings(estimator, settings):
    """Set what `settings_of` returned; a ValueError for anything else."""
    unknown = settings.keys() - SETTINGS
    if unknown:
        raise ValueError(f"settings has {sorted(unknown)}, which nothing is known of")
    settings = dict(settings)
    check_output_config(settings)
    if REQUESTS in settings:
        requests = estimator._get_metadata_request()
        known = vars(requests).keys() - {"owner"}
        for name, of_method in settings[REQUESTS].items():
            if name not in known:
                raise ValueError(f"{name!r} is no method that asks for metadata")
            for parameter, alias in of_method.items():
                getattr(requests, name).add_request(param=parameter, alias=alias)
        settings[REQUESTS] = requests
    vars(estimator).update(settings)


def check_output_config(attributes):
    """Raise a ValueError unless what `set_output` has set, of attributes by name, is what it sets."""
    config = attributes.get("_sklearn_output_config", {})
    if not isinstance(config, dict) or not config.keys() <= {"transform"} or not all(
        isinstance(value, str) and value in ("default", "pandas", "polars") for value in config.values()
    ):
        raise ValueError(f"set_output cannot have set {config}")


def check_one_hot(encoder):
    """Raise a ValueError unless a OneHotEncoder has columns for its categories: it does not check this itself."""
    if not hasattr(encoder, "categories_"):
        return
    found, expected = list(encoder._n_features_outs), list(encoder._compute_n_features_outs())
    if found != expected:
        raise ValueError(f"categories have {found} columns, expected {expected}")
    drop = encoder._drop_idx_after_grouping
    for i, categories in enumerate(encoder.categories_):
        dropped = None if drop is None else drop[i]
        n_grouped = found[i] + (dropped is not None)
        mapping = encoder._default_to_infrequent_mappings[i] if encoder._infrequent_enabled else None
        mapping = np.arange(len(categories)) if mapping is None else mapping
        outside = (np.asarray(mapping) < 0) | (np.asarray(mapping) >= n_grouped)
        if np.shape(mapping) != (len(categories),) or outside.any() or dropped not in (None, *range(n_grouped)):
            raise ValueError(f"the {len(categories)} categories of feature {i} have no columns among {n_grouped}")


def fitted_of(estimator):
    """What `fit` has learned, which all of skrnn's estimators hold as ``_fitted``; a NotFittedError before.

    It is read once in each call, and handed down. scikit-learn's check takes longer than a prediction.
    """
    try:
        return estimator._fitted
    except AttributeError:
        check_is_fitted(estimator)
        return estimator._fitted        # of a fit in another thread since then


def name_of_scorer(scoring):
    """What a score is called that a parameter `scoring` names, in words: "negative log loss"; "score" for no name."""
    if isinstance(scoring, BaseScorer):
        negative = "neg_" * (scoring._sign < 0)
        scoring = scoring._score_func
    else:
        negative = ""
    name = negative + (scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score"))
    return (f"negative {name[4:]}" if name.startswith("neg_") else name).replace("_", " ")


def output_container(estimator):
    """The container of tables by `set_output` or scikit-learn's configuration: "default", "pandas" or "polars"."""
    return getattr(estimator, "_sklearn_output_config", {}).get("transform", get_config()["transform_output"])


def set_output_container(estimator, transform):
    """Set what `set_output` was given, unless it is None, where scikit-learn's `clone` copies it."""
    constraints = {"transform": [StrOptions({"default", "pandas", "polars"}), None]}
    validate_parameter_constraints(constraints, {"transform": transform}, caller_name="set_output")
    if transform is not None:
        estimator._sklearn_output_config = {"transform": transform}
