"""scikit-learn's private functions, what differs between its versions, and what its own estimators alone have.

No other part of the package imports from scikit-learn's private modules.
"""

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

from skrnn._sklearn.callbacks import (
    CallbackSupportMixin,
    begin_fit_task,
    data_of_task,
    fit_in_parts,
    has_callbacks,
    one_task,
    under_callbacks,
    without_callbacks,
)
from skrnn._sklearn.diagrams import DiagramMixin, DocumentedMixin, block_of_part
from skrnn._sklearn.encoders import check_one_hot
from skrnn._sklearn.scorers import BaseScorer, name_of_scorer
from skrnn._sklearn.settings import (
    check_output_config,
    output_container,
    set_output_container,
    set_settings,
    settings_of,
)
from skrnn._sklearn.validation import check_columns, checks_parameters, estimator_named, fitted_of, learn_columns

__all__ = [
    "BaseScorer", "CallbackSupportMixin", "DiagramMixin", "DocumentedMixin", "HasMethods", "Interval",
    "InvalidParameterError", "Options", "RealNotInt", "StrOptions", "begin_fit_task", "block_of_part",
    "check_columns", "check_feature_names_in", "check_one_hot", "check_output_config", "checks_parameters",
    "data_of_task", "estimator_named", "fit_in_parts", "fitted_of", "has_callbacks", "learn_columns",
    "name_of_scorer", "one_task", "output_container", "select", "set_output_container", "set_settings",
    "settings_of", "under_callbacks", "validate_parameter_constraints", "validate_params", "without_callbacks",
]
