"""Which estimators of scikit-learn a model file holds, and what each of them has.

What is stored of one is its parameters and its attributes, as far as these are named here: those of the versions of
scikit-learn that skrnn supports. Loading makes nothing but these classes.
"""

from functools import partial
from importlib import import_module

import numpy as np
import sklearn

from skrnn._plain import Entry, to_plain
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
    """Plain data of what is neither plain nor of skrnn: these estimators; slices and dtypes as they are.

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
    if type(value) is slice or isinstance(value, np.dtype) or (type(value) is type and issubclass(value, np.generic)):
        return value
    if hasattr(value, "best_estimator_"):
        raise TypeError(f"{where} is a {type(value).__name__}, a search: save its best_estimator_")
    raise cannot_store(value, where)


def _kept_of(estimator):
    """What is stored of an estimator; a TypeError for an attribute that none of its class has."""
    parameters, name = estimator.get_params(deep=False), type(estimator).__name__
    attributes = {key: value for key, value in vars(estimator).items() if key not in parameters}
    unknown = attributes.keys() - ATTRIBUTES[path_of(type(estimator))] - COLUMNS
    if unknown:
        raise TypeError(f"{name} has the attributes {sorted(unknown)}, which model files do not know: pickle it")
    return {"parameters": parameters, "attributes": attributes, "scikit_learn": sklearn.__version__}


def _made_of(path, parameters, attributes, scikit_learn):
    """The estimator of what was stored; warns, as scikit-learn does, of attributes by another of its versions."""
    unknown = attributes.keys() - ATTRIBUTES[path] - COLUMNS
    if unknown:
        raise ValueError(f"it has the attributes {sorted(unknown)}, which nothing is known of")
    estimator = _class_at(path)(**parameters)
    version = scikit_learn if ATTRIBUTES[path] else sklearn.__version__
    estimator.__setstate__({**vars(estimator), **attributes, "_sklearn_version": version})
    return estimator
