"""What `fit` would have learned of X, and the sizes of a network, read from the shapes of parameters."""

import numpy as np

from skrnn._data.missing import WITH_INDICATORS
from skrnn._data.numbers import as_numbers, is_positive_int
from skrnn._data.parts import as_hashable, is_from_dtype
from skrnn._data.reading import Reading
from skrnn._data.units import Units
from skrnn._estimators.parameters import check_matrices, dtype_of
from skrnn._estimators.patches import check_no_patches, is_number, patch_for
from skrnn._messages import shown


def reading_of(estimator, parameters, X_units):
    """How an estimator that is not fitted reads X, by its parameters and by the shapes of those of its network.

    Parameters
    ----------
    estimator : BaseRNN
    parameters : dict of arrays
        With ``layer0.W``, and with ``embedding.E`` where steps are categories.
    X_units : pair of array-likes, optional
        Mean and scale of each feature.

    Returns
    -------
    Reading
    patch : tuple of int, or None
        Size and stride of the patches that the network reads.
    """
    _check_can_be_unfitted(estimator, parameters)
    of_categories = is_positive_int(estimator.embedding_dim)
    check_matrices(parameters, ["layer0.W", "head.V", *["embedding.E"] * of_categories])
    common = {
        "missing": estimator.missing, "per_step": estimator.return_sequences, "n_steps": estimator.n_steps,
        "standardize": estimator.standardize, "categorical_features": as_hashable(estimator.categorical_features),
    }
    if of_categories:
        if X_units is not None:
            raise ValueError("X_units are of numbers, but with embedding_dim the steps of X are categories")
        check_no_patches(estimator.patch_size)
        return _reading_of_categories(estimator, parameters["embedding.E"], common), None
    patch = None
    if is_number(estimator.patch_size):
        patch = patch_for(estimator.patch_size, estimator.patch_stride, None)
    n = _number_of_features(estimator, len(parameters["layer0.W"]), patch)
    units = _units("X", X_units, n, estimator.standardize, dtype_of(parameters))
    return Reading(False, n, None, n, units=units, **common), patch


def _check_can_be_unfitted(estimator, parameters):
    """Raise a ValueError where only a fit can tell how X is read."""
    of_fit = {
        "missing": estimator.missing == "decay", "times": estimator.times is not None,
        "embedding_dim": not (estimator.embedding_dim is None or is_positive_int(estimator.embedding_dim)),
        "categorical_features": not (
            estimator.categorical_features is None or is_from_dtype(estimator.categorical_features)
        ),
    }
    for name, needs_fit in of_fit.items():
        if needs_fit:
            raise ValueError(
                f"{name}={shown(getattr(estimator, name))} is of what only a fit learns of X, and the "
                f"{type(estimator).__name__} is not fitted: {_fit_first(estimator)}"
            )
    static = next((name for name in parameters if str(name).startswith("static.")), None)
    if static is not None:
        raise ValueError(
            f"parameters has {static!r}, of static features, which only a fit learns: {_fit_first(estimator)}"
        )


def _fit_first(estimator):
    return f"fit the {type(estimator).__name__} for one epoch (max_iter=1), then set its parameters"


def _reading_of_categories(estimator, E, common):
    """The reading of steps that are categories, with a row of E (n_categories, dim) for each."""
    if estimator.missing in WITH_INDICATORS:
        raise ValueError(
            f"missing={estimator.missing!r} is for numbers, but with embedding_dim X holds categories; try 'ffill'"
        )
    announced = estimator.n_categories is not None
    if announced and len(E) != estimator.n_categories + 1:
        raise ValueError(
            f"parameters['embedding.E'] has shape {E.shape}, expected {estimator.n_categories + 1} rows: one for each "
            f"of n_categories={estimator.n_categories}, and the last one for all others"
        )
    return Reading(False, 1, None, 1, n_categories=len(E), announced=announced, **common)


def _number_of_features(estimator, n_inputs, patch):
    """Features of a step of X, of which the first layer has so many inputs."""
    per_feature = (1 if patch is None else patch[0]) * (
        1 + 2 * (estimator.standardize == "sequence") + (estimator.missing in WITH_INDICATORS)
    )
    n, rest = divmod(n_inputs, per_feature)
    if rest or not n:
        raise ValueError(
            f"parameters['layer0.W'] has {n_inputs} rows, expected {per_feature} for each feature with patch_size="
            f"{estimator.patch_size!r}, missing={estimator.missing!r} and standardize={estimator.standardize!r}"
        )
    return n


def _units(of, given, n, standardize, dtype=np.float64):
    """Units of n features, or of n outputs: those given, else 0 and 1; None without `standardize`.

    `of` is what they are of, in the name of the argument.
    """
    if not standardize:
        if given is not None:
            raise ValueError(f"{of}_units are for standardize=True, not {standardize!r}: set it, or leave them out")
        return None
    if given is None:
        return Units(np.zeros(n), np.ones(n))
    name = f"{of}_units"
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise ValueError(f"{name} is {shown(given)}, expected a pair, the mean and the scale of each feature")
    center, scale = (np.atleast_1d(as_numbers(part, name).astype(np.float64)) for part in given)
    if center.shape != (n,) or scale.shape != (n,):
        raise ValueError(f"{name} has the shapes {center.shape} and {scale.shape}, expected ({n},) each")
    if not np.isfinite(center).all() or not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"{name} is {shown(given)}, expected finite means, and scales that are positive")
    with np.errstate(over="ignore"):
        center_and_inverse = np.stack([center, 1 / scale]).astype(dtype)
    if not np.isfinite(center_and_inverse).all() or not center_and_inverse[1].all():
        raise ValueError(f"{name} is {shown(given)}, of which the mean or 1 / scale is beyond {np.dtype(dtype)}")
    return Units(center, scale)


def units_of_targets(y_units, n, standardize, loss):
    """`Units` of n targets as the loss takes them: those given, else 0 and 1; None without `standardize`."""
    units = _units("y", y_units, n, standardize)
    if units is not None and not loss.takes_units(*units):
        raise ValueError(
            f"y_units is {shown(y_units)}, but loss={loss.name!r} with out_activation={loss.out_activation!r} takes y "
            "in no such units: leave them out"
        )
    return units
