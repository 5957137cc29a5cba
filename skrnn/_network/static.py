"""Static features: what stands beside a sequence, read by the head, or where the states of the sequence begin."""

from typing import NamedTuple

import numpy as np

from skrnn._data.units import Units
from skrnn._network.embeddings import Embedding
from skrnn._plain import plain
from skrnn.kernels import kernels_for

HEAD, INITIAL_STATE = "head", "initial_state"
# Who reads static features, by the value of an estimator's parameter
STATIC_TO = {HEAD: (HEAD,), INITIAL_STATE: (INITIAL_STATE,), "both": (HEAD, INITIAL_STATE)}


@plain
class StaticInputs(NamedTuple):
    """What a network reads beside each sequence: numbers, then the embeddings of categories, Z numbers in all.

    Where `to` has "initial_state", the states s before the first step are tanh(z W + b), else 0. W and b begin as 0.
    """

    n_numbers: int
    embeddings: tuple[Embedding, ...]   # one for each column of codes, which come after the numbers
    units: Units | None                 # center and scale of the numbers, which are read as (x − center) · (1 / scale)
    to: tuple[str, ...]                 # who reads them: "head", "initial_state" or both

    @property
    def n_inputs(self):
        """Z."""
        return self.n_numbers + sum(embedding.dim for embedding in self.embeddings)

    @property
    def n_columns(self):
        """Numbers and codes of a sequence."""
        return self.n_numbers + len(self.embeddings)

    def shapes(self, n_states):
        """Shapes of the parameters that make z the initial states, `n_states` of all layers."""
        if INITIAL_STATE not in self.to:
            return {}
        return {"static.W": (self.n_inputs, n_states), "static.b": (n_states,)}

    def table_shapes(self):
        """Shapes of the tables of embeddings."""
        return {static_table_of(each): (each.n_categories, each.dim) for each in self.embeddings}

    def without_embeddings(self):
        """The same where the vectors of categories are read as numbers, after the others."""
        n_vectors = self.n_inputs - self.n_numbers
        units = None if self.units is None else self.units.with_others(n_vectors)
        return self._replace(n_numbers=self.n_inputs, embeddings=(), units=units)

    def read(self, parameters, values):
        """z (N, Z) of the static features (N, S) of sequences."""
        dtype = values.dtype
        numbers = values[:, : self.n_numbers]
        if self.units is not None:
            numbers = (numbers - self.units.center.astype(dtype)) * (1 / self.units.scale).astype(dtype)
        embedded = [parameters[static_table_of(embedding)][codes] for embedding, codes in self._embedded(values)]
        return np.concatenate([numbers, *embedded], axis=1)

    def states(self, parameters, z):
        """s (N, K) = tanh(z W + b)."""
        s = np.repeat(parameters["static.b"][np.newaxis], len(z), axis=0)
        for j, row in enumerate(parameters["static.W"]):        # not by a BLAS: the same bits for some and for all
            s += z[:, j, np.newaxis] * row
        flat = s.reshape(-1)
        kernels_for(s.dtype).evaluate("tanh", flat, flat)
        return s

    def add_gradient(self, parameters, values, s, ds, dz, gradients):
        """Add to the gradients of the parameters, by name.

        Parameters
        ----------
        parameters : mapping
        values : (N, S) array
        s, ds : (N, K) array or None
            The initial states that come of z, and the gradient in them.
        dz : (N, Z) array
            The gradient of what else reads z.
        gradients : mapping
            Added to.
        """
        if s is not None:
            z, W, dW = self.read(parameters, values), parameters["static.W"], gradients["static.W"]
            da = ds * (1 - s * s)
            gradients["static.b"] += da.sum(axis=0)
            dz = dz.copy()
            for j in range(len(W)):
                dW[j] += (z[:, j, np.newaxis] * da).sum(axis=0)
                dz[:, j] += (da * W[j]).sum(axis=1)
        first = self.n_numbers
        for embedding, codes in self._embedded(values):
            np.add.at(gradients[static_table_of(embedding)], codes, dz[:, first : first + embedding.dim])
            first += embedding.dim

    def codes(self, values):
        """The categories (N,) of each embedded feature of sequences that have the static features (N, S)."""
        return [codes for _, codes in self._embedded(values)]

    def input_gradient(self, parameters, s, ds, dz):
        """The gradient (N, S) in static features that are all numbers, where `add_gradient` has that in parameters."""
        if s is not None:
            # s = tanh(z W + b)
            dz = dz + np.einsum("nk,jk->nj", ds * (1 - s * s), parameters["static.W"])
        # z = (x − center) · (1 / scale)
        return dz if self.units is None else dz / self.units.scale

    def check(self, values, n):
        """Raise a ValueError unless values are the static features (n, S) of sequences that a network can read."""
        shape = None if values is None else values.shape
        if shape != (n, self.n_columns):
            raise ValueError(f"static has shape {shape}, expected {(n, self.n_columns)}: a row for each sequence")
        for embedding, codes in self._embedded(values):
            bad = np.flatnonzero((codes < 0) | (codes >= embedding.n_categories))
            if len(bad):
                raise ValueError(
                    f"the static feature {embedding.name!r} of sequence {bad[0]} has the code {codes[bad[0]]}, "
                    f"expected one from 0 to {embedding.n_categories - 1}"
                )

    def _embedded(self, values):
        """Each embedding, with the codes (N,) of its column."""
        codes = values[:, self.n_numbers :].astype(np.intp)
        return zip(self.embeddings, codes.T, strict=True)


def static_table_of(embedding):
    """The name of the parameter of an `Embedding` of a static feature."""
    return f"static.{embedding.name}.E"
