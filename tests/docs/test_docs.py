"""What the documentation shows works."""

import importlib
import os
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")    # also of the libraries that the pages show
@pytest.mark.parametrize(("name", "needs"), [
    ("data.md", ()), ("language.md", ()), ("forecasting.md", ("mapie", "skforecast", "sktime")),
])
def test_code_runs(name, needs):
    """The blocks of a page, one after the other."""
    for library in needs:
        importlib.import_module(library) if os.environ.get("SKRNN_REQUIRE_PEERS") else pytest.importorskip(library)
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) > 3
    names = {}
    for block in blocks:
        exec(compile(block, name, "exec"), names)


@pytest.mark.parametrize("page", [*DOCS.glob("*.md"), DOCS.parent / "README.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
