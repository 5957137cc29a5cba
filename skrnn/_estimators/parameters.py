"""Parameters by name, as users read and set them: `parameters_`, and checks of arrays that take their place."""

from collections.abc import Mapping

import numpy as np

from skrnn._data.numbers import as_numbers
from skrnn._messages import shown


class FittedParameters(Mapping):
    """The parameters of a fitted estimator by name: arrays that cannot be written to, in a mapping that can.

    It is that of one fit, whatever is fitted later; what is assigned to a name it passes to `set_parameters`, and then
    it is that of the parameters set. Copies and pickles of it are dicts.

    Parameters
    ----------
    estimator : estimator
        Whose parameters they are.
    model : Model
        That has them.
    """

    def __init__(self, estimator, model):
        self._estimator, self._model, self._arrays = estimator, model, model.fixed_parameters

    def __getitem__(self, name):
        return self._arrays[name]

    def __setitem__(self, name, values):
        estimator = self._estimator
        if estimator._get_fitted().model is not self._model:
            raise ValueError(
                f"these are no longer the parameters of the {type(estimator).__name__}, which was fitted or set since: "
                "take its parameters_ again"
            )
        estimator.set_parameters({name: values})
        self.__init__(estimator, estimator._get_fitted().model)

    def __iter__(self):
        return iter(self._arrays)

    def __len__(self):
        return len(self._arrays)

    def __or__(self, other):
        return self.copy() | dict(other)

    def __ror__(self, other):
        return dict(other) | self.copy()

    def __repr__(self):
        return f"{type(self).__name__}({self._arrays!r})"

    def __reduce__(self):
        return dict, (self.copy(),)

    def copy(self):
        """The same arrays in a dict."""
        return dict(self._arrays)


def read_parameters(parameters):
    """A dict of arrays by name, float32 or float64; raise an error that names what is none."""
    if not isinstance(parameters, Mapping):
        raise TypeError(
            f"parameters is a {type(parameters).__name__}, expected a dict of arrays by name, as parameters_ has them"
        )
    return {name: as_numbers(values, _name(name)) for name, values in parameters.items()}


def dtype_of(parameters):
    """The dtype that a net with nothing but these parameters computes in: float32 if all of them are, else float64."""
    return np.result_type(*parameters.values())


def check_complete(parameters, names):
    """Raise a ValueError unless parameters have all of these names."""
    lacking = [name for name in names if name not in parameters]
    if lacking:
        raise ValueError(
            f"parameters lacks {', '.join(map(repr, lacking))}: a net that is not fitted needs all of its parameters"
        )


def check_matrices(parameters, names):
    """Raise a ValueError unless the parameters of these names are there, and matrices: the sizes of a net."""
    check_complete(parameters, names)
    for name in names:
        shape = parameters[name].shape
        if len(shape) != 2 or 0 in shape:
            raise ValueError(f"{_name(name)} has shape {shape}, expected two dimensions")


def check_shapes(parameters, shapes, by=""):
    """Raise a ValueError unless parameters have names and shapes of these, of a net; `by` says what made these."""
    for name, values in parameters.items():
        if name not in shapes:
            raise ValueError(f"parameters has {shown(name)}, expected names of this net: {', '.join(shapes)}{by}")
        if values.shape != shapes[name]:
            raise ValueError(f"{_name(name)} has shape {values.shape}, expected {shapes[name]}{by}")


def fill(parameters, views):
    """Write parameters into views of theta; raise a ValueError that names the first value that is not finite there."""
    for name, values in parameters.items():
        with np.errstate(over="ignore"):
            views[name][:] = values
        _check_finite(name, values, views[name])


def _check_finite(name, values, stored):
    """Raise a ValueError that names the first of the values that is not finite, or not in the dtype of `stored`."""
    if np.isfinite(stored).all():
        return
    bad = tuple(map(int, np.argwhere(~np.isfinite(stored))[0]))
    where, value = f"{_name(name)}[{', '.join(map(str, bad))}]", values[bad]
    if np.isfinite(value):
        raise ValueError(f"{where} is {value}, too large for {stored.dtype}, in which the net computes")
    raise ValueError(f"{where} is {value}, expected a finite number")


def _name(name):
    """What messages call a parameter."""
    return f"parameters[{shown(name)}]"
