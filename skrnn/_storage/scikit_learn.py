"""Which estimators of scikit-learn a model file holds, and what each of them has.

What is stored of one is its parameters and its attributes, as far as these are named here: those of the versions of
scikit-learn that skrnn supports. Loading makes nothing but these classes.
"""

from functools import partial
from importlib import import_module

import numpy as np
import sklearn

from skrnn._plain import Entry, fits, to_plain
from skrnn._sklearn import check_output_config, without_callbacks
from skrnn._storage.document import cannot_store

COLUMNS = {"n_features_in_", "feature_names_in_", "_sklearn_output_config"}
ENCODER = {"categories_", "_infrequent_enabled", "_infrequent_indices", "_default_to_infrequent_mappings"}
IN_THE_MIDDLE = {"n_samples_seen_", "scale_"}

# The attributes of each, besides its parameters
ATTRIBUTES = {
    "sklearn.compose.ColumnTransformer": {
        "transformers_", "output_indices_", "sparse_output_", "_columns", "_transformer_to_input_indices", "_remainder",
        "_name_to_fitted_passthrough", "_n_features",
    },
    "sklearn.impute.MissingIndicator": {"features_", "_n_features", "_precomputed"},
    "sklearn.impute.SimpleImputer": {"statistics_", "indicator_", "_fit_dtype", "_fill_dtype"},
    "sklearn.pipeline.FeatureUnion": set(),
    "sklearn.pipeline.Pipeline": set(),
    "sklearn.preprocessing.FunctionTransformer": set(),
    "sklearn.preprocessing.MaxAbsScaler": {"max_abs_", *IN_THE_MIDDLE},
    "sklearn.preprocessing.MinMaxScaler": {"min_", "data_min_", "data_max_", "data_range_", *IN_THE_MIDDLE},
    "sklearn.preprocessing.OneHotEncoder": {"drop_idx_", "_drop_idx_after_grouping", "_n_features_outs", *ENCODER},
    "sklearn.preprocessing.OrdinalEncoder": {"_missing_indices", *ENCODER},
    "sklearn.preprocessing.RobustScaler": {"center_", "scale_"},
    "sklearn.preprocessing.StandardScaler": {"mean_", "var_", *IN_THE_MIDDLE},
}
# Of these there is one number for each feature, or None
PER_FEATURE = {
    "center_", "data_max_", "data_min_", "data_range_", "max_abs_", "mean_", "min_", "scale_", "statistics_", "var_",
}
# Those that consist of others, and the parameter that these are in
STEPS = {"sklearn.compose.ColumnTransformer": "transformers", "sklearn.pipeline.FeatureUnion": "transformer_list",
         "sklearn.pipeline.Pipeline": "steps"}
# A list of columns that warns when it is read, which scikit-learn 1.6 has
REMAINDER = "sklearn.compose._RemainderColsList"
TYPES = {"parameters": dict, "attributes": dict, "scikit_learn": str}


def path_of(cls):
    """Where a class is to be found, without the private module that it may be in."""
    parts = cls.__module__.split(".")
    return ".".join([*parts[:2], cls.__name__])


def entry_of(path):
    """The `Entry` of the class at a path, or None if it is none of these."""
    if path not in ATTRIBUTES:
        return None
    return Entry(_class_at(path), TYPES, frozenset(TYPES), _kept_of, partial(_made_of, path))


def _class_at(path):
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def others_to_plain(value, where):
    """Plain data of what is neither plain nor of skrnn: these estimators, their columns; slices and dtypes as they are.

    Raises
    ------
    TypeError
        For anything else, naming where it is.
    """
    path = path_of(type(value))
    if path in ATTRIBUTES and type(value) is _class_at(path):
        return {"class": path} | {
            name: to_plain(part, f"{where}.{name}", others_to_plain) for name, part in _kept_of(value).items()
        }
    if path == REMAINDER:
        return to_plain(value.data, where, others_to_plain)
    if type(value) is slice or isinstance(value, np.dtype) or (type(value) is type and issubclass(value, np.generic)):
        return value
    if hasattr(value, "best_estimator_"):
        raise TypeError(f"{where} is a {type(value).__name__}, a search: save its best_estimator_")
    if hasattr(value, "to_local"):
        raise TypeError(f"{where} is a {type(value).__name__}, which has a client: save its to_local()")
    raise cannot_store(value, where)


def _kept_of(estimator):
    """What is stored of an estimator; a TypeError for an attribute that none of its class has."""
    parameters, name = estimator.get_params(deep=False), type(estimator).__name__
    attributes = {key: value for key, value in without_callbacks(vars(estimator)).items() if key not in parameters}
    path = path_of(type(estimator))
    unknown = attributes.keys() - ATTRIBUTES[path] - COLUMNS
    if unknown:
        raise TypeError(f"{name} has the attributes {sorted(unknown)}, which model files do not know: pickle it")
    _check_steps(path, parameters.get(STEPS.get(path)))
    return {"parameters": parameters, "attributes": attributes, "scikit_learn": sklearn.__version__}


def _made_of(path, parameters, attributes, scikit_learn):
    """The estimator of what was stored; warns, as scikit-learn does, if its attributes are another version's."""
    unknown = attributes.keys() - ATTRIBUTES[path] - COLUMNS
    if unknown:
        raise ValueError(f"it has the attributes {sorted(unknown)}, which nothing is known of")
    _check_steps(path, parameters.get(STEPS.get(path)))
    check_output_config(attributes)
    if attributes.keys() - {"_sklearn_output_config"}:
        _check_attributes(path, attributes)
    else:       # a Pipeline, or what is not fitted: nothing that versions could mean differently
        scikit_learn = sklearn.__version__
    estimator = _class_at(path)(**parameters)
    estimator.__setstate__({**vars(estimator), **attributes, "_sklearn_version": scikit_learn})
    return estimator


def _check_steps(path, steps):
    """Raise a TypeError unless steps are a name and an estimator each, and of a ColumnTransformer columns."""
    if path not in STEPS:
        return
    n = 3 if path.endswith("ColumnTransformer") else 2
    if not isinstance(steps, list | tuple) or not all(
        isinstance(step, list | tuple) and len(step) == n and isinstance(step[0], str)
        and (step[1] is None or isinstance(step[1], str) or hasattr(step[1], "get_params")) for step in steps
    ):
        raise TypeError(f"{STEPS[path]} of {path} are no names and estimators")


def _check_attributes(path, attributes):
    """Raise a ValueError unless the attributes of a fitted estimator go together, as far as predictions need them."""
    lacking = {name for name in ATTRIBUTES[path] if name.endswith("_")} - attributes.keys()
    if lacking:
        raise ValueError(f"it lacks the attributes {sorted(lacking)}")
    n = attributes.get("n_features_in_", 1)
    if not fits(n, int) or n < 1:
        raise ValueError(f"it has {n} features")
    for name in PER_FEATURE & attributes.keys():
        value = attributes[name]
        if value is not None and not (isinstance(value, np.ndarray) and value.shape == (n,)):
            raise ValueError(f"{name} is not of {n} features")
        if name == "scale_" and value is not None and not (value.dtype.kind == "f" and value.all()):
            raise ValueError("scale_ is not of numbers that divide")
        if value is not None and value.dtype.kind == "f" and np.isinf(value).any():
            raise ValueError(f"{name} is not finite")
    names = attributes.get("feature_names_in_")
    if names is not None and (np.shape(names) != (n,) or not all(isinstance(each, str) for each in names)):
        raise ValueError(f"feature_names_in_ are not of {n} features")
    if np.shape(attributes.get("n_samples_seen_", n)) not in ((), (n,)):
        raise ValueError(f"n_samples_seen_ is not of {n} features")
    categories = attributes.get("categories_", [np.empty(0)] * n)
    if len(categories) != n or not all(isinstance(each, np.ndarray) and each.ndim == 1 for each in categories):
        raise ValueError(f"categories_ are not of {n} features")
    _check_steps(path, attributes.get("transformers_", []))
    places = attributes.get("_transformer_to_input_indices", {}).values()
    if not all(fits(place, int) and 0 <= place < n for each in places for place in each):
        raise ValueError("a transformer has columns that are none")
