"""Graphs of ONNX operators: names, constants, loops, and what of them gets into the model."""

import sys

import numpy as np
import onnx
import pytest
from onnx_models import run

from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph

OPSETS = (OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET)


@pytest.fixture(params=OPSETS)
def g(request):
    return Graph(request.param)


def test_numbers_and_arrays_are_constants_each_once(g):
    x = g.input("x", np.float32, ("n", 2))
    y = g.add(g.mul(x, np.array([1, 2], np.float32)), g.floats([1.0, 2.0]))
    g.output("y", g.add(y, 0.5), np.float32, ("n", 2))
    model = g.model()
    assert len(model.graph.initializer) == 2
    np.testing.assert_array_equal(run(model, x=[[1, 1]])["y"], [[2.5, 4.5]])


def test_constants_of_another_dtype_or_shape_are_others(g):
    names = [g.constant(array) for array in (
        np.zeros(2, np.float32), np.zeros(2, np.int32), np.zeros((2, 1), np.float32), np.float32(0), ["0", "0"], 0, 0.0,
        g.ints(0),
    )]
    assert len(set(names)) == len(names)
    assert g.value(0.0) == g.floats(0)
    assert g.value(0) == g.constant(np.int64(0))


def test_strings_are_inputs_constants_and_outputs(g):
    ward, index = g.input("ward", str, ("n",)), g.input("index", np.int64, ("n",))
    g.output("both", g.concat([ward, g.gather(g.constant(np.array(["a", "bcd"])), index)], axis=0), str, ("m",))
    assert run(g.model(), ward=["x", "y"], index=[1, 0])["both"].tolist() == ["x", "y", "bcd", "a"]


def test_the_model_has_what_its_outputs_need(g):
    x = g.input("x", np.float32, ("n",))
    g.op("Tanh", g.add(x, 3.0))
    g.output("y", g.op("Exp", x), np.float32, ("n",))
    model = g.model()
    assert [node.op_type for node in model.graph.node] == ["Exp", "Identity"]
    assert not model.graph.initializer
    assert [opset.version for opset in model.opset_import] == [g.opset]


def test_names_of_inputs_and_outputs_are_their_own(g):
    g.input("x", np.float32, ("n",))
    tanh = g.op("Tanh", "x")
    with pytest.raises(ValueError, match="cannot be called 'x'"):
        g.input("x", np.float32, ("n",))
    with pytest.raises(ValueError, match=f"cannot be called '{tanh}'"):
        g.output(tanh, "x", np.float32, ("n",))
    g.input(f"Exp_{len(g.names) + 1}", np.float32, ("n",))      # what the next operator would be called
    g.output("y", g.op("Exp", "x"), np.float32, ("n",))
    assert run(g.model(), x=[0], **{g.inputs[1].name: [5]})["y"] == [1]


def test_a_loop_uses_values_around_it(g):
    """h ← a h + x, of x and h collected."""
    x, a = g.input("x", np.float32, ("steps", "n")), g.input("a", np.float32, ())

    def body(inner, h, x):
        unused = inner.op("Tanh", h)
        assert unused not in (h, x)
        h = inner.add(inner.mul(h, g.add(a, 0.0)), x)
        return [h], [h, x]

    (h,), (all_h, all_x) = g.scan(body, [g.floats([1, 2])], [x])
    g.output("h", h, np.float32, (2,))
    g.output("H", all_h, np.float32, ("steps", 2))
    g.output("X", all_x, np.float32, ("steps", 2))
    g.output("max", g.reduce("ReduceMax", all_h, 0), np.float32, (2,))
    model = g.model()
    out = run(model, x=[[1, 0], [2, 1]], a=0.5)
    np.testing.assert_array_equal(out["H"], [[1.5, 1], [2.75, 1.5]])
    np.testing.assert_array_equal(out["h"], out["H"][-1])
    np.testing.assert_array_equal(out["X"], [[1, 0], [2, 1]])
    np.testing.assert_array_equal(out["max"], [2.75, 1.5])
    loop = next(node for node in model.graph.node if node.op_type == "Scan")
    assert "Tanh" not in [node.op_type for node in loop.attribute[0].g.node]


def test_operators_of_other_domains(g):
    x = g.input("x", str, ("n",))
    code = g.op("LabelEncoder", x, domain="ai.onnx.ml", keys_strings=["a", "b"], values_int64s=[4, 5], default_int64=9)
    g.output("code", code, np.int64, ("n",))
    assert run(g.model(), x=["b", "a", "c"])["code"].tolist() == [5, 4, 9]


def test_models_are_checked(g):
    g.output("y", g.op("Tanh", g.input("x", np.float32, ("n",)), "x"), np.float32, ("n",))
    with pytest.raises(onnx.checker.ValidationError, match="Tanh"):
        g.model()


def test_without_onnx_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"skrnn\[onnx\]"):
        Graph(DEFAULT_OPSET)
