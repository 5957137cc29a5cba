"""A graph of ONNX operators, written like equations."""

from hashlib import sha256

import numpy as np

from skrnn.exceptions import ExportError

# The operator sets that models are made for. The default is read by all runtimes that are in use.
OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET = 14, 17, 21
# Of the operators of other domains
DOMAINS = {"ai.onnx.ml": 2}
# From this set on, the axes of these are inputs rather than attributes
AXES_AS_INPUT = {"ReduceMax": 18, "ReduceMin": 18, "ReduceMean": 18, "ReduceProd": 18, "ReduceSum": 13}


def import_onnx():
    """The package onnx.

    Raises
    ------
    ImportError
        When it is not installed, naming the extra.
    """
    try:
        import onnx
    except ImportError as error:
        raise ImportError("The export to ONNX needs the package onnx: pip install 'skrnn[onnx]'") from error
    return onnx


class Graph:
    """Operators, one after the other. A value is known by its name, a str.

    What takes values also takes what `constant` takes, Python numbers among them.

    Parameters
    ----------
    opset : int
        The version of ONNX's own operators.
    outer : Graph, optional
        Of a graph within it, the body of a loop, which may use its values.
    """

    def __init__(self, opset, outer=None):
        self.opset, self.outer = opset, outer
        self.onnx = import_onnx()
        self.nodes, self.inputs, self.outputs = [], [], []
        # All graphs within each other have one set of names and of constants
        self.names = set() if outer is None else outer.names
        self.constants = {} if outer is None else outer.constants

    def op(self, op_type, *inputs, n_outputs=1, domain="", **attributes):
        """The name of what an operator computes, or a tuple of names when it has several outputs.

        Parameters
        ----------
        op_type : str
        *inputs : str, number, array or None
            None where an optional one is left out.
        n_outputs : int
        domain : str
        **attributes
            Those that are None are left out.
        """
        names = [self.value(value) for value in inputs]
        outputs = [self._new_name(op_type) for _ in range(n_outputs)]
        self._append(op_type, names, outputs, domain=domain, **attributes)
        return outputs[0] if n_outputs == 1 else tuple(outputs)

    def value(self, value):
        """The name of a value, or of a constant; "" for None."""
        if value is None or isinstance(value, str):
            return value or ""
        return self.floats(value) if isinstance(value, float) else self.constant(value)

    def constant(self, array):
        """The name of an array of numbers, bools or strings, in its own dtype; int64 for what is no array."""
        array = np.asarray(array)
        data = tuple(array.flat) if array.dtype.kind in "OU" else sha256(np.ascontiguousarray(array)).digest()
        key = (array.dtype.str, array.shape, data)
        if key not in self.constants:
            name = self._new_name("constant")
            strings = array.astype(object) if array.dtype.kind == "U" else array
            self.constants[key] = self.onnx.numpy_helper.from_array(np.ascontiguousarray(strings), name)
            if array.ndim == 0:     # which ascontiguousarray makes (1,)
                del self.constants[key].dims[:]
        return self.constants[key].name

    def floats(self, array):
        """The name of an array of numbers as float32."""
        return self.constant(np.asarray(array, np.float32))

    def ints(self, *numbers):
        """The name of an array (k,) of int64: a shape, or axes."""
        return self.constant(np.array(numbers, np.int64))

    def input(self, name, dtype, shape):
        """Declare an input of the model; returns its name.

        Parameters
        ----------
        name : str
        dtype : NumPy dtype or str
            The type `str` stands for strings.
        shape : tuple
            Sizes, or names of sizes that are free.

        Raises
        ------
        ExportError
            When something has the name already.
        """
        self._reserve(name)
        self.inputs.append(self.onnx.helper.make_tensor_value_info(name, self.element_type(dtype), shape))
        return name

    def output(self, name, value, dtype, shape):
        """Declare an output of the model: a value, under a name of its own. As in `input`."""
        self._reserve(name)
        self._append("Identity", [self.value(value)], [name])
        self.outputs.append(self.onnx.helper.make_tensor_value_info(name, self.element_type(dtype), shape))

    def model(self, properties=None):
        """The model, with the operators and constants that its outputs need. It is checked by ``onnx.checker``.

        Parameters
        ----------
        properties : dict of str, optional
            What is said about it.
        """
        onnx, nodes = self.onnx, self._needed()
        used = {name for node in nodes for name in names_read(node)}
        constants = [tensor for tensor in self.constants.values() if tensor.name in used]
        graph = onnx.helper.make_graph(nodes, "skrnn", self.inputs, self.outputs, constants)
        domains = {node.domain for node in nodes} - {""}
        opsets = [onnx.helper.make_opsetid(domain, DOMAINS[domain]) for domain in sorted(domains)]
        opsets.insert(0, onnx.helper.make_opsetid("", self.opset))
        model = onnx.helper.make_model(
            graph, producer_name="skrnn", opset_imports=opsets,
            ir_version=onnx.helper.find_min_ir_version_for(opsets),
        )
        onnx.helper.set_model_props(model, properties or {})
        onnx.checker.check_model(model, full_check=True)
        return model

    def element_type(self, dtype):
        """ONNX's number of a type."""
        if dtype is str:
            return self.onnx.TensorProto.STRING
        return self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    # Operators whose form depends on the operator set, or that read better with arguments of Python

    def add(self, a, b):
        return self.op("Add", a, b)

    def sub(self, a, b):
        return self.op("Sub", a, b)

    def mul(self, a, b):
        return self.op("Mul", a, b)

    def div(self, a, b):
        return self.op("Div", a, b)

    def matmul(self, a, b):
        return self.op("MatMul", a, b)

    def where(self, condition, a, b):
        return self.op("Where", condition, a, b)

    def cast(self, x, dtype):
        return self.op("Cast", x, to=self.element_type(dtype))

    def concat(self, values, axis):
        """The values side by side; the value itself when there is one."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def transpose(self, x, *axes):
        return self.op("Transpose", x, perm=axes)

    def reshape(self, x, *shape):
        """With 0 for a size that stays and −1 for the one that is left; without a shape a number."""
        return self.op("Reshape", x, self.ints(*shape))

    def unsqueeze(self, x, *axes):
        return self.op("Unsqueeze", x, self.ints(*axes))

    def squeeze(self, x, *axes):
        return self.op("Squeeze", x, self.ints(*axes))

    def columns(self, x, start, stop, axis=-1):
        """x[..., start:stop]."""
        return self.op("Slice", x, self.ints(start), self.ints(stop), self.ints(axis))

    def gather(self, x, index, axis=0):
        """x[index] along an axis."""
        return self.op("Gather", x, index, axis=axis)

    def shape(self, x, *axes):
        """The sizes of some axes, (k,) int64."""
        return self.gather(self.op("Shape", x), self.ints(*axes))

    def range(self, n):
        """0 .. n − 1 as int64; n is a scalar or (1,)."""
        return self.op("Range", 0, self.reshape(n), 1)

    def reduce(self, op_type, x, axis, keepdims=False):
        """ReduceSum, ReduceMax and the like along one axis."""
        if self.opset >= AXES_AS_INPUT[op_type]:
            return self.op(op_type, x, self.ints(axis), keepdims=int(keepdims))
        return self.op(op_type, x, axes=[axis], keepdims=int(keepdims))

    def scan(self, body, states, sequences):
        """A loop over the first axis of sequences.

        Parameters
        ----------
        body : callable
            Takes the graph of the loop, then the states before a step and the step of each sequence, and returns the
            states after it and a list of what to collect.
        states : list of str
            Before the first step.
        sequences : list of str
            (T, ...).

        Returns
        -------
        states, collected : tuple of str
            The states after the last step; what was collected, (T, ...) each.
        """
        inner = Graph(self.opset, self)
        names = [inner._new_name(kind) for kind in ["state"] * len(states) + ["step"] * len(sequences)]
        after, collected = body(inner, *names)
        results = []
        for value in [*after, *collected]:      # each comes out once, and of an operator within
            own = value not in results and any(value in node.output for node in inner.nodes)
            results.append(value if own else inner.op("Identity", value))
        graph = self.onnx.helper.make_graph(
            inner._needed(results), "body", [self.onnx.ValueInfoProto(name=name) for name in names],
            [self.onnx.ValueInfoProto(name=name) for name in results],
        )
        out = self.op(
            "Scan", *states, *sequences, n_outputs=len(results), body=graph, num_scan_inputs=len(sequences)
        )
        out = (out,) if len(results) == 1 else out
        return out[: len(after)], out[len(after) :]

    def _append(self, op_type, inputs, outputs, **attributes):
        # ONNX Runtime 1.18 gives two nodes without names the same one when it fuses them
        self.nodes.append(self.onnx.helper.make_node(op_type, inputs, outputs, name=outputs[0], **attributes))

    def _new_name(self, kind):
        """A name that nothing has."""
        name = f"{kind}_{len(self.names)}"
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name

    def _reserve(self, name):
        if not name:
            raise ExportError("an input needs a name, and a feature is called '': rename it")
        if name in self.names:
            raise ExportError(f"an input or output cannot be called {name!r}, as another one is: rename the feature")
        self.names.add(name)

    def _needed(self, results=None):
        """The nodes that the outputs need, in order."""
        needed = set(results or (value.name for value in self.outputs))
        kept = []
        for node in reversed(self.nodes):
            if needed.intersection(node.output):
                needed.update(names_read(node))
                kept.append(node)
        return kept[::-1]


def names_read(node):
    """The names that a node reads, and the nodes of graphs within it."""
    yield from filter(None, node.input)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield from (value.name for value in attribute.g.output)
            for inner in attribute.g.node:
                yield from names_read(inner)
