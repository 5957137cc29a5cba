"""What methods of scikit-learn's base classes have set of an estimator: the container of its output, its requests."""

from sklearn import get_config
from sklearn.utils._param_validation import StrOptions, validate_parameter_constraints

REQUESTS = "_metadata_request"
SETTINGS = {"_sklearn_output_config", REQUESTS}


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


def output_container(estimator):
    """The container of tables by `set_output` or scikit-learn's configuration: "default", "pandas" or "polars"."""
    return getattr(estimator, "_sklearn_output_config", {}).get("transform", get_config()["transform_output"])


def set_output_container(estimator, transform):
    """Set what `set_output` was given, unless it is None, where scikit-learn's `clone` copies it."""
    constraints = {"transform": [StrOptions({"default", "pandas", "polars"}), None]}
    validate_parameter_constraints(constraints, {"transform": transform}, caller_name="set_output")
    if transform is not None:
        estimator._sklearn_output_config = {"transform": transform}
