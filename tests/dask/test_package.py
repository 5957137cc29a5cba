"""The package where what it needs is not there."""

import pydoc
import sys
from importlib import import_module

import pytest

import skrnn


@pytest.mark.parametrize("missing", ["dask", "distributed"])
def test_says_which_extra_has_what_is_missing(missing, monkeypatch):
    monkeypatch.delattr(skrnn, "dask")
    monkeypatch.delitem(sys.modules, "skrnn.dask")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'skrnn\[dask\]'"):
        import_module("skrnn.dask")
    assert not hasattr(skrnn, "dask")
    assert "RNNClassifier" in pydoc.render_doc(skrnn)
