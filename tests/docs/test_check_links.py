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
    ('<a href="other.html?q=x#there">', None),
    ('<a href="other.html#gr%C3%B6%C3%9Fe"> <a href="other.html#größe">', None),
    ('<a href="mailto:someone@example.org"> <img src="data:image/png;base64,AA==">', None),
    ('<link rel="Next" href="https://example.org/">', None),
    ('<img src="picture.png">', "picture.png is not there"),
    ('<img srcset="picture.png, picture.png 2x">', "picture.png is not there"),
    ('<video poster="picture.png">', "picture.png is not there"),
    ('<object data="picture.svg">', "picture.svg is not there"),
    ('<a href="gone.html">', "gone.html is not there"),
    ('<a href="other.html#gone">', "other.html#gone has no such anchor"),
    ('<a href="other.html?q=x#gone">', "other.html?q=x#gone has no such anchor"),
    ('<a href="#gone">', "#gone has no such anchor"),
    ('<a href="../api/">', "../api/ is a folder"),
    ('<a href="../../outside.html">', "../../outside.html is not there"),
    ('<script src="https://example.org/x.js">', "loads https://example.org/x.js"),
    ('<link rel="stylesheet" href="//example.org/x.css">', "loads //example.org/x.css"),
    ('<link rel="stylesheet preload" href="https://example.org/x.css">', "loads https://example.org/x.css"),
])
def test_faults(element, fault, faults, tmp_path):
    site = tmp_path / "site"
    (site / "api").mkdir(parents=True)
    (tmp_path / "outside.html").write_text("<p>", encoding="utf-8")
    (site / "index.html").write_text("<p>", encoding="utf-8")
    (site / "api/other.html").write_text('<p id="there"><p id="größe">', encoding="utf-8")
    (site / "api/page.html").write_text(f'<p id="here">{element}', encoding="utf-8")
    assert set(faults(site)) == ({f"api/page.html: {fault}"} if fault else set())


def test_a_folder_without_pages(faults, tmp_path):
    assert list(faults(tmp_path)) == [f"{tmp_path} has no pages"]
