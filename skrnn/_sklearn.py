"""scikit-learn's private functions, what differs between its versions, and what its own estimators alone have.

No other file imports from scikit-learn's private modules.
"""

from contextvars import copy_context
from copy import copy
from functools import wraps

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

__all__ = [
    "BaseScorer", "HasMethods", "Interval", "InvalidParameterError", "Options", "RealNotInt", "StrOptions",
    "check_columns", "check_feature_names_in", "check_one_hot", "check_output_config", "checks_parameters",
    "fitted_of", "learn_columns", "name_of_scorer", "output_container", "select", "set_output_container",
    "set_settings", "settings_of", "validate_parameter_constraints", "validate_params",
]

REQUESTS = "_metadata_request"
SETTINGS = {"_sklearn_output_config", REQUESTS}
FEATURES = ("n_features_in_", "feature_names_in_")


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
