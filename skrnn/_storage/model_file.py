"""`save` and `load`: fitted estimators as files of plain data."""

import json
from importlib import import_module

from skrnn._messages import shown
from skrnn._plain import CLASS, PlainDataError, from_plain, to_plain
from skrnn._storage import container, scikit_learn
from skrnn._storage.consistency import check
from skrnn._storage.document import Reader, Writer
from skrnn._version import __version__
from skrnn.exceptions import ModelFileError

FORMAT, VERSION = "skrnn", "1"
# What registers the classes that a file may name, besides what is imported here
WITH_CLASSES = ("skrnn.forecasting", "skrnn.preprocessing")
TEXTS = {"sha256", "format", "format_version", "skrnn", "model"}


def save(estimator, path):
    """Save an estimator to a model file, from which :func:`load` makes it again without running code of the file.

    Predictions, `partial_fit` and `warm_start` go on with the same bits. A file lasts: later versions of skrnn read it.
    Callbacks that are set on an estimator are no part of it.

    Parameters
    ----------
    estimator : estimator
        Fitted or not: a net, a language model, a transformer or a forecaster of skrnn, or a Pipeline or
        ColumnTransformer of these and of the scalers, encoders and imputers of scikit-learn that the page on saving
        lists.
    path : str or path
        Written whole or not at all: a temporary file in the same folder takes its place at the end.

    Returns
    -------
    None

    Raises
    ------
    TypeError
        For an estimator or a parameter that such a file cannot hold, such as a function, naming it.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import skrnn
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = skrnn.RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrnn.save(net, Path(folder) / "net.skrnn")
    ...     loaded = skrnn.load(Path(folder) / "net.skrnn")
    >>> bool((loaded.predict(X) == net.predict(X)).all())
    True
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(f"estimator is {shown(estimator)}, expected a net or another estimator")
    name, writer = type(estimator).__name__, Writer()
    model = writer.encode(to_plain(estimator, name, scikit_learn.others_to_plain), ())
    container.write(path, writer.arrays, {
        "format": FORMAT, "format_version": VERSION, "skrnn": __version__,
        "model": json.dumps(model, separators=(",", ":"), allow_nan=False),
    })


def load(path):
    """Load an estimator from a model file that :func:`save` has written. No code of the file is run.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    estimator : estimator

    Raises
    ------
    ModelFileError
        For whatever is wrong with the file: it is damaged or cut off, no model file, of a later version of skrnn, or
        its parts do not go together. It is a ValueError.
    OSError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrnn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrnn.save(skrnn.RNNClassifier(16, cell="lstm"), Path(folder) / "net.skrnn")
    ...     skrnn.load(Path(folder) / "net.skrnn")
    RNNClassifier(cell='lstm', hidden_size=16)
    """
    for module in WITH_CLASSES:
        import_module(module)
    arrays, texts = container.read(path)
    _check_texts(texts, path)
    reader = Reader(arrays)
    try:
        data = reader.decode(container.strict_json(texts["model"], f"{path}: the model"), "the model")
        if reader.not_used:
            raise PlainDataError(f"nothing is known of the arrays {shown(reader.not_used)}")
        _check_layers(data, len(arrays))
        estimator = from_plain(data, "the model", scikit_learn.entry_of, check)
        if not hasattr(estimator, "get_params"):
            raise PlainDataError(f"the model is a {type(estimator).__name__}, expected an estimator")
    except PlainDataError as error:
        raise ModelFileError(
            f"{path}, written by skrnn {texts['skrnn']}, holds what skrnn {__version__} cannot read: {error}"
        ) from error
    return estimator


def _check_layers(data, n_arrays):
    """Raise a PlainDataError for more layers than arrays, before any layer is made: of each its weights are stored."""
    waiting, n_layers = [data], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            kind, sizes = part.get(CLASS), part.get("hidden_size")
            if isinstance(kind, str) and kind == "RecurrentNetwork" and isinstance(sizes, tuple):
                n_layers += len(sizes)
            waiting += part.values()
        elif isinstance(part, list | tuple):
            waiting += part
    if n_layers > n_arrays:
        raise PlainDataError(f"the model has {n_layers} layers, but only {n_arrays} arrays")


def _check_texts(texts, path):
    """Raise a ModelFileError unless these texts are those of a format that is known."""
    version = texts.get("format_version", "")
    if texts.get("format") != FORMAT or not version:
        raise ModelFileError(f"{path} is no model file of skrnn")
    if version != VERSION:
        raise ModelFileError(
            f"{path} has the format {version[:9]!r}, written by skrnn {texts.get('skrnn', '?')[:20]}, and skrnn "
            f"{__version__} reads {VERSION}: install the version that wrote it"
        )
    if texts.keys() != TEXTS:
        raise ModelFileError(f"{path} has the texts {sorted(texts)}, expected {sorted(TEXTS)}")
