"""All parameters of a network as one flat vector with named views.

Clipping, the optimizers, saving and finite differences see only the vector.
"""

import sys

import numpy as np


class ParameterLayout:
    """Where each named parameter lies in the flat vector `theta`.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        The parameters in the order in which they follow each other.
    """

    def __init__(self, shapes):
        self.shapes = dict(shapes)
        self.slices = {}
        start = 0
        for name, shape in self.shapes.items():
            size = 1
            for extent in shape:
                size *= int(extent)
            self.slices[name] = slice(start, start + size)
            start += size
        if start > sys.maxsize // 8:
            raise ValueError(
                f"a network with {start} parameters does not fit into memory; expected a smaller hidden_size, "
                "embedding_dim or patch_size"
            )
        self.size = start

    def views(self, theta):
        """Each parameter as a view of `theta` in its own shape, by name."""
        return {name: theta[self.slices[name]].reshape(shape) for name, shape in self.shapes.items()}

    def joined(self, parameters):
        """A theta of parameters by name: float32 or float64 arrays of the shapes of this layout, copied."""
        shapes = {name: np.shape(array) for name, array in parameters.items()}
        if shapes != self.shapes:
            raise ValueError(f"parameters have the shapes {shapes}, expected {self.shapes}")
        dtypes = {array.dtype for array in parameters.values()}
        if len(dtypes) > 1 or not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
            raise ValueError(f"parameters have the dtypes {sorted(map(str, dtypes))}, expected float32 or float64")
        theta = np.empty(self.size, *dtypes)
        for name, view in self.views(theta).items():
            view[...] = parameters[name]
        return theta

    def is_weight(self, name):
        """Whether a parameter is a weight, which is decayed; biases and embeddings are not."""
        return name.rpartition(".")[2] in ("W", "U", "V")

    def weight_ranges(self):
        """The ranges of theta with the weights, (…, 2): first and last + 1 of each."""
        ranges = [(part.start, part.stop) for name, part in self.slices.items() if self.is_weight(name)]
        return np.array(ranges, dtype=np.intp).reshape(-1, 2)


def full_range(theta):
    """The one range that is all of theta, (1, 2)."""
    return np.array([[0, len(theta)]], dtype=np.intp)
