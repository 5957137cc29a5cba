"""Networks in C: what the first layer reads of a step, the layers, what the head reads, and patches."""

from skrnn._network.embeddings import table_of
from skrnn.export._c.cells import cell_source

# What state_layout and parameters call what C has other names for
MEMBERS = {"sums": "sums", "maxima": "maxima", "static": "static_inputs"}


class NetworkSource:
    """A network in a file of C.

    Parameters
    ----------
    source : Source
    network : RecurrentNetwork
        It reads forwards.
    parameters : dict of str to array

    Attributes
    ----------
    members : dict
        How functions call each part of its `state_layout`.
    """

    def __init__(self, source, network, parameters):
        self.source, self.network, self.parameters = source, network, parameters
        self.members = {part: self._member(part, columns) for part, columns in network.state_layout.items()}
        if network.units is not None or network.embeddings:
            self._write_inputs()
        self._write_layers()

    def _member(self, part, columns):
        if part == "steps":
            return self.source.member("n_steps")
        name = MEMBERS[part] if isinstance(part, str) else f"layer{part[0]}_{part[2]}"
        return self.source.member(name, columns.stop - columns.start)

    def parameter(self, name, columns=slice(None), *, to=None):
        """A parameter, or some of its columns, as an array of constants, named after it or after `to`."""
        values = self.parameters[name][..., columns]
        return self.source.constant((to or name).replace(".", "_"), values, f"{name} {values.shape}")

    @property
    def n_read(self):
        """What the first layer reads of a step: numbers, then embeddings."""
        return self.network.layers[0].n_inputs // (1 if self.network.patch is None else self.network.patch[0])

    @property
    def n_numbers(self):
        """How many of these are numbers."""
        return self.n_read - sum(embedding.dim for embedding in self.network.embeddings)

    def _write_inputs(self):
        """``net_inputs(v, inputs)``, which brings numbers to units and embeds categories."""
        network, n = self.network, self.n_numbers
        function = self.source.function(
            "void net_inputs(const net_real *v, net_real *inputs)", "What the first layer reads of a step v"
        )
        if network.units is not None and n:
            center, scale = (part[:n] for part in network.units)
            center = self.source.constant("center", center, "The mean of each number of a step")
            inverse = self.source.constant("inverse", 1 / scale, "1 / the deviation of each number of a step")
            function.do("standardize", n, "v", center, inverse, "inputs")
        elif n:
            function.do("copy", n, "v", "inputs")
        first_code = network.n_inputs - len(network.embeddings)
        for c, embedding in enumerate(network.embeddings):
            table = self.parameter(table_of(embedding), to=f"embedding{c}")
            row = f"{table} + (int)v[{first_code + c}] * {embedding.dim}"
            function.do("copy", embedding.dim, row, f"inputs + {n}")
            n += embedding.dim

    def _read(self, v, inputs):
        """A call that fills the inputs of the first layer from the numbers v of a step."""
        if self.network.units is not None or self.network.embeddings:
            return f"net_inputs({v}, {inputs});"
        return f"net_copy({self.n_read}, {v}, {inputs});"

    def write_step(self, function, v):
        """Add a step of the network to a function that has the numbers v of a step; the name of the scores."""
        network, scores = self.network, function.array("scores", self.network.n_outputs)
        if network.patch is not None:
            self._write_patch(function, v, scores)
            return scores
        if network.n_categories:
            n, dim = self.parameters[table_of()].shape
            inputs = f"{self.parameter(table_of(), to='embedding')} + net_code({v}[0], {n}, {n - 1}) * {dim}"
        else:
            inputs = function.array("inputs", self.n_read)
            function.say(self._read(v, inputs))
        if network.decay is not None:
            self._write_decay(function, v, inputs)
        function.do("layers", "s", inputs, scores)
        return scores

    def _write_decay(self, function, v, inputs):
        """Decays of what is missing, and of the states of the first layer."""
        decay, layer = self.network.decay, self.network.layers[0]
        n, K, since = decay.n_features, layer.n_units, f"{v} + {self.n_numbers}"
        function.do(
            "decay_inputs", n, since, self.parameter("decay.W"), self.parameter("decay.b"),
            f"{inputs} + {decay.indicators}", inputs,
        )
        W, b = (self.parameter(f"{layer.directions[0]}.decay.{kind}") for kind in "Wb")
        rates = function.array("rates", K)
        function.do("decay_rates", n, K, since, W, b, rates)
        for name in layer.cell.states:
            function.do("multiply", K, rates, self.members[0, 0, name])

    def _write_patch(self, function, v, scores):
        """A step of a patch: the last one also stands for those that the patch lacks."""
        (size, stride), F, n = self.network.patch, self.network.n_inputs, self.n_read
        pending, n_pending = self.source.member("pending", (size - 1) * F), self.source.member("n_pending")
        inputs = function.array("inputs", size * n)
        function.say(
            f"int count = (int){n_pending}, i;",
            f"for (i = 0; i < {size}; i++)",
            "    " + self._read(f"i < count ? {pending} + i * {F} : {v}", f"{inputs} + i * {n}"),
            f"if (count < {size - 1}) {{",
            "    net_state partial = *s;",
            f"    net_layers(&partial, {inputs}, {scores});",
            f"    net_copy({F}, {v}, {pending} + count * {F});",
            f"    {n_pending} += 1;",
            "} else {",
            f"    net_layers(s, {inputs}, {scores});",
            f"    for (i = 0; i < {size - stride}; i++)",
            f"        net_copy({F}, i < {size - 1 - stride} ? {pending} + (i + {stride}) * {F} : {v}, "
            f"{pending} + i * {F});",
            f"    memset({pending} + {(size - stride) * F}, 0, {(stride - 1) * F} * sizeof(net_real));",
            f"    {n_pending} = {size - stride};",
            "}",
        )

    def _write_layers(self):
        """``net_layers(s, inputs, scores)``, a step of all layers and what the head makes of it."""
        function = self.source.function(
            "void net_layers(net_state *s, const net_real *inputs, net_real *scores)",
            "A step of all layers, and the scores after it",
        )
        layers, inputs = self.network.layers, "inputs"
        cells = list(map(cell_source, layers))
        function.array("a", max(cell.n_blocks * layer.n_units for cell, layer in zip(cells, layers, strict=True)))
        for depth, (layer, cell) in enumerate(zip(layers, cells, strict=True)):
            parameters = [self.parameter(f"{layer.directions[0]}.{kind}") for kind in "WUb"]
            states = [self.members[depth, 0, name] for name in layer.cell.states]
            function.do(
                cell.function, layer.n_inputs, layer.n_units, *parameters, inputs, *states, "a", *cell.arguments
            )
            inputs = states[0]
        self._write_head(function, inputs)

    def _write_head(self, function, h):
        """scores = [last, mean, max, static] V + c, of what of these there is."""
        network, members, P = self.network, self.members, self.network.layers[-1].n_outputs
        parts = []
        for part in network.pooled_parts:
            if part == "last":
                parts.append((P, h))
            if part == "mean":
                function.do("add", P, h, members["sums"])
                function.say(f"{members['steps']} += 1;")
                function.do("mean", P, members["sums"], members["steps"], function.array("mean", P))
                parts.append((P, "mean"))
            if part == "max":
                function.do("keep_maxima", P, h, members["maxima"])
                parts.append((P, members["maxima"]))
        if network.n_static:
            parts.append((network.n_static, members["static"]))
        V, first, Q = self.parameter("head.V"), 0, network.n_outputs
        function.do("copy", Q, self.parameter("head.c"), "scores")
        for n, features in parts:
            function.do("product", n, Q, Q, features, f"{V} + {first}" if first else V, "scores")
            first += n * Q
