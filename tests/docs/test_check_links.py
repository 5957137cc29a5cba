"""What looks through the built site finds links that lead nowhere, and what is loaded from elsewhere."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def faults():
    return runpy.run_path(str(ROOT / ".ci/check_links.py"))["faults"]


@pytest.mark.parametrize(("element", "fault"), [
    ('<a href="other.html#there">', None),
    ('<a href="other.html#%74here">', None),
    ('<a href="#here">', None),
    ('<a href="../index.html">', None),
    ('<a href="https://example.org/x.html">', None),
    ('<link rel="canonical" href="https://example.org/x.html">', None),
    ('<img src="picture.png">', "picture.png is not there"),
    ('<a href="gone.html">', "gone.html is not there"),
    ('<a href="other.html#gone">', "other.html#gone has no such anchor"),
    ('<a href="#gone">', "#gone has no such anchor"),
    ('<script src="https://example.org/x.js">', "loads https://example.org/x.js"),
    ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css"),
])
def test_faults(element, fault, faults, tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / "index.html").write_text("<p>", encoding="utf-8")
    (tmp_path / "api/other.html").write_text('<p id="there">', encoding="utf-8")
    (tmp_path / "api/page.html").write_text(f'<p id="here">{element}', encoding="utf-8")
    assert list(faults(tmp_path)) == ([f"api/page.html: {fault}"] if fault else [])
