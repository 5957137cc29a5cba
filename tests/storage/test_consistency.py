"""Files that somebody has made on purpose, with the right checksum: what does not go together is refused by `load`."""

import hashlib
import json
import tracemalloc
from copy import deepcopy

import numpy as np
import pytest
import sklearn
from stored_models import made

import skrnn
from skrnn import RNNRegressor
from skrnn.exceptions import ModelFileError

NAN, INF = {"class": "float", "value": "nan"}, {"class": "float", "value": "inf"}
NET = {"class": "RNNRegressor", "parameters": {}, "fitted": None, "settings": {}}
LAYERS = {
    "class": "RecurrentNetwork", "n_inputs": 1, "hidden_size": {"class": "tuple", "items": [1] * 3000}, "n_outputs": 1,
    "cell": "rnn", "activation": "tanh", "reset_after": True, "bidirectional": False, "per_step": False,
    "pooling": "last", "n_categories": 0, "units": None, "patch": None, "static": None, "decay": None,
    "embeddings": {"class": "tuple", "items": []},
}
# The most memory that a file takes which is made for that, as a multiple of its size, and in bytes
MAX_MEMORY = 100, 2**20


def file_of(model, header=None, data=b""):
    """The bytes of a file with this model, a tree of JSON or its text, in a header with any arrays."""
    text = model if isinstance(model, str) else json.dumps(model)
    texts = {"sha256": "0" * 64, "format": "skrnn", "format_version": "1", "skrnn": skrnn.__version__, "model": text}
    header = json.dumps({"__metadata__": texts} | (header or {}), separators=(",", ":")).encode()
    content = len(header).to_bytes(8, "little") + header + data
    return content.replace(b"0" * 64, hashlib.sha256(content).hexdigest().encode(), 1)


@pytest.fixture(scope="module")
def parts_of(tmp_path_factory):
    """A function of the name of a model: what its file consists of, its model, the header of its arrays and these."""
    folder, known = tmp_path_factory.mktemp("files"), {}

    def parts(name):
        if name not in known:
            skrnn.save(made(name)[0], folder / name)
            content = (folder / name).read_bytes()
            end = 8 + int.from_bytes(content[:8], "little")
            header = json.loads(content[8:end])
            known[name] = json.loads(header.pop("__metadata__")["model"]), header, content[end:]
        return known[name]

    return parts


def with_value(tree, path, value):
    """A tree of JSON with another value at a path."""
    tree = part = deepcopy(tree)
    *path, last = path.split("/")
    for key in path:
        part = part[int(key) if isinstance(part, list) else key]
    part[int(last) if isinstance(part, list) else last] = value
    return tree


def assert_refused(content, folder, message):
    (folder / "model.skrnn").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        skrnn.load(folder / "model.skrnn")


@pytest.mark.parametrize(("name", "path", "value", "message"), [
    # names and categories
    ("classifier-mixed", "fitted/reading/feature_names/items/0", [], r"expected tuple\[str, ...\] | None"),
    ("classifier-mixed", "fitted/reading/mixed/steps/items/1/categories/items/0", None, "expected tuple"),
    ("classifier-mixed", "fitted/reading/mixed/steps/items/0", 3, "expected tuple"),
    ("windows", "fitted/items/3/sizes/x", "lstm", "no numbers of rows"),
    ("imputer", "fitted/reading/n_features_in", 2**40, "its steps 2"),
    # a class that is an array
    ("classifier", "fitted/model/class", {"class": "array", "name": "fitted.model.parameters.layer0.b"}, "has no name"),
    # sizes, before memory is taken for them
    ("regressor-table", "fitted/model/network/patch/items/0", 2**40, "have the shapes"),
    ("regressor-table", "fitted/model/network/patch/items/1", 0, "model"),
    ("regressor-table", "fitted/reading/n_steps", -1, "no number of steps"),
    # the optimizer and the schedule
    ("classifier", "fitted/model/optimizer/beta_1", 1, "beta_1 is none of an average"),
    ("classifier", "fitted/model/optimizer/beta_2", NAN, "beta_2 is none of an average"),
    ("classifier", "fitted/model/optimizer/epsilon", INF, "epsilon is not positive"),
    ("classifier", "fitted/model/optimizer/learning_rate", -1.0, "learning_rate is not positive"),
    ("regressor-quantiles", "fitted/model/optimizer/momentum", -0.5, "momentum is negative"),
    ("classifier", "fitted/model/schedule", None, "needs a schedule"),
    ("classifier", "fitted/model/schedule/initial", NAN, "learning rate is none"),
    ("classifier", "fitted/model/schedule/max_iter", 0, "a schedule has 0 epochs"),
    ("classifier", "fitted/model/max_iter", -3, "no number of epochs"),
    ("classifier-columns", "fitted/model/loss/n_scores/items/0", -1, "columns of classes have|model"),
    # what an estimator has learned is none of its own kind
    ("classifier", "class", "RNNRegressor", "cannot be made|other targets"),
    ("survival", "fitted/targets", {"class": "NumberTargets", "shape": {"class": "tuple", "items": []}}, "model"),
    ("scaler", "class", "SequenceImputer", "model"),
    ("scaler", "fitted/reading/n_categories", 3, "reads categories"),
    ("imputer", "fitted/strategy", "none", "strategy='none' is none"),
    ("language", "fitted/reading/analyzer", {"class": "scalar type", "name": "<f8"}, "is none of char, word"),
    ("language-words", "fitted/reading/vocabulary/symbols/0", None, "expected a symbol"),
    # scikit-learn's
    ("scaler", "settings/_sklearn_output_config/transform", "none", "set_output cannot have set"),
    ("naive", "parameters/steps/1/items/1/attributes/n_features_in_", 7, "is not of 7 features"),
])
def test_a_value_that_does_not_go_with_the_others(name, path, value, message, parts_of, tmp_path):
    model, header, data = parts_of(name)
    assert_refused(file_of(with_value(model, path, value), header, data), tmp_path, message)


@pytest.mark.parametrize(("name", "array", "value", "message"), [
    ("classifier", "fitted.model.optimizer.square", -1, "squares are negative"),
    ("classifier", "fitted.model.optimizer.mean", np.inf, "averages of the optimizer are not finite"),
    ("classifier", "fitted.model.optimizer.counts", np.nan, "counts of the optimizer are none"),
    ("classifier", "fitted.model.network.units.scale", 0, "scales of units are not positive"),
    ("classifier", "fitted.model.network.units.center", np.nan, "units are not finite"),
    ("classifier", "fitted.targets.classes", 0, "classes are not in order"),
    ("regressor-table", "fitted.targets.scale", 0, "scales of targets are not positive"),
    ("scaler-columns", "fitted.scale", 0, "scales are not positive"),
    ("naive", "parameters.steps.1.1.attributes.scale_", 0, "scale_ is not of numbers that divide"),
])
def test_numbers_of_an_array_that_none_has(name, array, value, message, parts_of, tmp_path):
    model, header, data = parts_of(name)
    first, last = header[array]["data_offsets"]
    dtype = {"F64": "<f8", "I64": "<i8"}[header[array]["dtype"]]
    numbers = np.full((last - first) // 8, value, dtype).tobytes()
    assert_refused(file_of(model, header, data[:first] + numbers + data[last:]), tmp_path, message)


@pytest.mark.parametrize(("value", "message"), [
    ({"class": "dtype", "name": "(,)i4,i4"}, "none that is stored"),        # which NumPy raises a SyntaxError for
    ({"class": "dtype", "name": "i4," * 1000}, "none that is stored"),
    ({"class": "Generator", "state": {
        "bit_generator": "PCG64", "state": {"state": 0, "inc": 0}, "has_uint32": 0, "uinteger": 0,
    }}, "increment is odd"),                                                # which returns zeros for ever
    ([[]] * 2 + [LAYERS], "3000 layers, but only 0 arrays"),
])
def test_values_that_no_parameter_has(value, message, tmp_path):
    assert_refused(file_of(NET | {"parameters": {"hidden_size": value}}), tmp_path, message)


@pytest.mark.parametrize("steps", [3, [3], [["a", 3]], [["a"]], [[3, NET]]])
def test_steps_that_are_none(steps, tmp_path):
    model = {
        "class": "sklearn.pipeline.Pipeline", "attributes": {}, "scikit_learn": sklearn.__version__,
        "parameters": {"steps": steps, "memory": None, "verbose": False},
    }
    assert_refused(file_of(model), tmp_path, "no names and estimators")


def test_a_random_state_of_zeros(tmp_path):
    """From which the polar method would draw normal numbers for ever."""
    state = {"bit_generator": "MT19937", "has_gauss": 0, "gauss": 0.0, "state": {"key": 0, "pos": 0}}
    state["state"]["key"] = {"class": "array", "name": "key"}
    model = NET | {"parameters": {"random_state": {"class": "RandomState", "state": state}}}
    header = {"key": {"dtype": "U32", "shape": [624], "data_offsets": [0, 4 * 624]}}
    assert_refused(file_of(model, header, bytes(4 * 624)), tmp_path, "none of a Mersenne twister")


@pytest.mark.parametrize("text", [
    "[" + ",".join(["[]"] * 3000) + "]", "[" + ",".join(['{"a":0}'] * 3000) + "]",
    '{"' + "k" * 3000 + '":[' + ",".join(["0"] * 3000) + "]}",
])
def test_memory_of_small_objects(text, tmp_path):
    content = file_of(json.dumps(NET).replace('"parameters": {}', f'"parameters":{{"hidden_size":{text}}}'))
    (tmp_path / "model.skrnn").write_bytes(content)
    tracemalloc.start()
    skrnn.load(tmp_path / "model.skrnn")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_MEMORY[0] * len(content) + MAX_MEMORY[1]


def test_an_array_is_not_used_any_number_of_times(tmp_path):
    """So that copies of it cannot take more memory than so many files."""
    array = np.arange(3.0)
    net = RNNRegressor(hidden_size=[array] * 20)
    skrnn.save(net, tmp_path / "net.skrnn")
    assert [each.tolist() for each in skrnn.load(tmp_path / "net.skrnn").hidden_size] == [[0, 1, 2]] * 20
    model = NET | {"parameters": {"hidden_size": [{"class": "array", "name": "a"}] * 20}}
    header = {"a": {"dtype": "F64", "shape": [3], "data_offsets": [0, 24]}}
    assert_refused(file_of(model, header, array.tobytes()), tmp_path, "is used more than 8 times")


def nested(n):
    value = []
    for _ in range(n):
        value = [value]
    return value


@pytest.mark.parametrize(("value", "message"), [
    (nested(70), "lies in more than 64 others"), (10**5000, "is int, which a model file cannot hold"),
], ids=["deep", "long"])
def test_what_could_not_be_read_is_not_written(value, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        skrnn.save(RNNRegressor(hidden_size=value), tmp_path / "net.skrnn")


def test_strings_in_another_order_of_bytes(tmp_path):
    skrnn.save(RNNRegressor(hidden_size=np.array(["ab", "€"], ">U2")), tmp_path / "net.skrnn")
    assert skrnn.load(tmp_path / "net.skrnn").hidden_size.tolist() == ["ab", "€"]
