"""Decays with the time since features were last seen: their parameters, and how the kernels find them."""

from typing import NamedTuple

from skrnn._plain import plain

# Of a feature that was seen a mean time ago, what its last value and a state are multiplied by at first: exp(−rate)
INITIAL_RATE = 0.1


@plain
class Decay(NamedTuple):
    """Which inputs of the first layer decay where they are missing; its states decay, too.

    The last ``n_features`` numbers of a step, for each direction of the layer, are the times since the features were
    last seen. Only the decays read them.
    """

    n_features: int         # the first ones of a step
    indicators: int         # the column of their first indicator, which is 1 where the feature is missing

    def n_times(self, n_directions):
        """Numbers of a step that only the decays read."""
        return self.n_features * n_directions

    def shapes(self, layer):
        """Names and shapes of the parameters: of the inputs, and of the states of each direction of the first layer."""
        n = self.n_features
        shapes = {"decay.W": (n,), "decay.b": (n,)}
        for name in layer.directions:
            shapes |= {f"{name}.decay.W": (n, layer.n_units), f"{name}.decay.b": (layer.n_units,)}
        return shapes

    def initialize(self, parameters, layer, random_state):
        """Fill the views: rates that are positive, since max(0, a) has no gradient where a is not."""
        parameters["decay.W"][:] = INITIAL_RATE
        for name in layer.directions:
            W = parameters[f"{name}.decay.W"]
            W[:] = random_state.uniform(0, 2 * INITIAL_RATE / self.n_features, W.shape)

    def for_kernels(self, slices, layer):
        """What ``Engine`` takes; `slices` say where the parameters lie in theta."""
        return {
            "n": self.n_features, "indicators": self.indicators, "w": slices["decay.W"].start,
            "W": [slices[f"{name}.decay.W"].start for name in layer.directions],
            "b": [slices[f"{name}.decay.b"].start for name in layer.directions],
        }
