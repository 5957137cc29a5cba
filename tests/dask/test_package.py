"""The package where Dask is, and where it is not."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_is_imported_when_it_is_asked_for():
    code = "import sys, skrnn, skrnn.preprocessing; assert not {'dask', 'distributed'} & set(sys.modules), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["dask", "distributed"])
def test_without_its_packages_says_which_extra_has_them(missing):
    code = (
        f"import pydoc, sys\nsys.modules['{missing}'] = None\nimport skrnn\n"
        "try:\n    import skrnn.dask\nexcept ImportError as error:\n    assert 'skrnn[dask]' in str(error), error\n"
        "else:\n    raise AssertionError('imported')\n"
        "assert not hasattr(skrnn, 'dask') and 'RNNClassifier' in pydoc.render_doc(skrnn)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
