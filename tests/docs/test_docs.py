"""What the documentation shows works."""

import codeop
import importlib
import os
import re
import sys
import tempfile
import tomllib
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from skrnn.kernels import CELLS

DOCS = Path(__file__).parents[2] / "docs"
OUTSIDE = ("README.md", "CONTRIBUTING.md", "examples/README.md")
PAGES = [*sorted(DOCS.rglob("*.md")), *(DOCS.parent / name for name in OUTSIDE)]
# Libraries that the code of a page uses besides
PEERS = {
    "bridges.md": ("mapie", "skforecast", "sktime"), "crfsuite.md": ("sklearn_crfsuite",), "hmmlearn.md": ("hmmlearn",),
    "keras.md": ("keras", "torch"), "onnx.md": ("skl2onnx",), "pytorch.md": ("torch",),
    "skorch.md": ("skorch", "torch"), "weights.md": ("torch",),
}
# Folders that an sdist leaves out
GONE = {folder for folder in (DOCS / "figures", DOCS / "measurements") if not folder.exists()}
SOURCES = {".py", ".pyx", ".pxd", ".pxi", ".h"}


def name_of(page):
    return page.relative_to(DOCS.parent).as_posix()


def python_blocks(page):
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", DOCS / "guide/first_steps.md"], ids=name_of)
def test_what_a_new_user_pastes_is_read_line_by_line(page):
    """Before 3.13 the interpreter's prompt ends a block at an empty line, and only there."""
    for block in python_blocks(page):
        lines = []
        for line in [*block.split("\n"), ""]:
            lines.append(line)
            if codeop.compile_command("\n".join(lines), page.name) is not None:
                lines = []
        assert not "".join(lines)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")    # also of the libraries that the pages show
@pytest.mark.parametrize("page", [*filter(python_blocks, PAGES)], ids=name_of)
def test_code_runs(page, tmp_path, monkeypatch):
    """The blocks of a page as a reader pastes them, one after the other: with what they import and define alone."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for library in PEERS.get(page.name, ()):
        importlib.import_module(library) if os.environ.get("SKRNN_REQUIRE_PEERS") else pytest.importorskip(library)
    if "torch" in PEERS.get(page.name, ()):     # small nets, beside other workers
        importlib.import_module("torch").set_num_threads(1)
    names = {"__name__": "__main__"}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with patch.dict(os.environ):        # which is also that of processes that others start
        for block in python_blocks(page):
            exec(compile(block, page.name, "exec"), names)
    if page.name == "first_steps.md":
        assert names["search"].score(names["X_test"], names["y_test"]) > names["linear"] + 0.2
    if page.name == "forecasting.md":
        check_forecasts(names["result"].metrics.set_index("model"))
    if page.name == "tables.md":
        check_risks(names["y"], names["p"], names["threshold"])
    if page.name == "importance.md":
        check_importances(*(names[name].importances_mean for name in ("by_feature", "grouped", "result", "lags")))
    if page.name == "mistakes.md":
        check_mistakes(page.read_text(encoding="utf-8"), names["errors"])


def check_forecasts(metrics):
    """What forecasting.md says of a day ahead."""
    assert metrics.loc["net", "rmse"] < 0.8 * metrics.loc["ridge", "rmse"] < 0.5 * metrics.loc["naive", "rmse"]
    assert metrics.loc["net", "pinball"] < 0.8 * metrics.loc["ridge", "pinball"]
    assert metrics["coverage"].between(0.85, 0.95).all()


def check_risks(y, p, threshold):
    """What tables.md says of the patients of hospitals that were left out."""
    assert roc_auc_score(y, p) > 0.85
    highest = p >= np.quantile(p, 0.8)
    assert abs(p[highest].mean() - y[highest].mean()) < 0.04
    alarms = p >= threshold
    assert y[alarms].sum() >= 0.8 * y.sum()
    assert y[alarms].mean() > 2.5 * y.mean()


def check_importances(features, groups, steps, lags):
    """What importance.md says of signs alone and together, of the last times, and of steps."""
    assert groups[0] > 2 * features.max()
    assert groups[2] > 4 * abs(groups[3])
    assert steps.argmax() == 6
    assert steps[6] > 10 * np.delete(np.abs(steps), 6).max()
    assert lags[-1] > 3 * lags[-2:].min() > 0
    assert lags.argmax() == 11


def check_mistakes(text, errors):
    """What mistakes.md says of each gradient: that it is right, or how far off it is."""
    said = re.findall(r"^check\(.*# (\S+)$", text, re.MULTILINE)
    assert len(said) == text.count("\ncheck(")
    for what, error in zip(said, errors, strict=True):
        if what == "right":
            assert error < 1e-7
        else:
            assert error == pytest.approx(float(what), rel=0.06)
            assert error > 0.1


def test_pages_with_code_are_found():
    pages = {"README.md", "backward.md", "data.md", "deploying.md", "first_steps.md", "forecasting.md", "mistakes.md"}
    pages |= {"reliability.md", "searching.md", *PEERS}
    assert {page.name for page in PAGES if python_blocks(page)} >= pages


def files_in(folder):
    """The paths of the files of a folder of the project."""
    return {path.relative_to(folder.parent).as_posix() for path in folder.rglob("*") if path.is_file()}


def source_files(paths):
    return {path for path in paths if Path(path).suffix in SOURCES and not path.endswith("__init__.py")}


@pytest.fixture(scope="module")
def files():
    """The paths of the project's files that pages name."""
    folders = ("skrnn", "tests", "docs", "examples", "benchmarks", ".ci")
    paths = set.union(*(files_in(DOCS.parent / folder) for folder in folders))
    return paths | {path.name for path in DOCS.parent.iterdir() if path.is_file()}


def test_the_table_of_the_design_names_every_source_file(files):
    """A folder stands for its __init__.py, and `kernels/cells/` for the files of the cells."""
    named, folder = set(), ""
    text = (DOCS / "design.md").read_text(encoding="utf-8")
    for first, second in re.findall(r"^\| ([^|]*)\| ([^|]*)\|.*\|$", text, re.MULTILINE):
        paths = re.findall(r"`([\w./]+)`", first)
        if paths and paths[0].endswith("/"):
            folder, paths = paths[0], []
        named |= set(paths) | {folder + path for path in re.findall(r"`([\w./]+)`", second)}
    there = {path.removeprefix("skrnn/") for path in files if path.startswith("skrnn/")}
    cells = {f"kernels/cells/{name}.pxi" for name in CELLS}
    assert source_files(named) == source_files(there) - cells


def test_the_extra_of_the_examples_is_all_that_first_steps_need():
    """The page begins with ``pip install 'skrnn[examples]'``."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = {
        re.match(r"[\w-]+", line)[0] for line in project["dependencies"] + project["optional-dependencies"]["examples"]
    }
    code = "\n".join(python_blocks(DOCS / "guide/first_steps.md"))
    imported = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)) - set(sys.stdlib_module_names)
    assert {"sklearn", "pandas", "skrnn"} <= imported
    assert {name.replace("sklearn", "scikit-learn") for name in imported} - {"skrnn"} <= installed


def test_supported_versions_are_those_of_the_build():
    """versions.md has the lower bounds of pyproject.toml, all of them."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = [f"python{project['requires-python']}", *project["dependencies"]]
    text = (DOCS / "versions.md").read_text(encoding="utf-8").split("## Supported versions")[1]
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \| ([\d.]+), and the newest \|$", text, re.MULTILINE)
    assert [f"{name.lower()}>={at_least}" for name, at_least, _ in rows] == bounds
    assert [at_least for _, at_least, _ in rows] == [tested for _, _, tested in rows]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_pages_name_exist(page, files):
    """As whole paths, or by the end of these."""
    for code in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")):
        for path in re.findall(r"[\w./-]+\.(?:py|pyx|pxi|h|md|txt|json|toml)(?![\w(])", code):
            there = any(f"/{file}".endswith(f"/{path}") for file in files)
            assert there or DOCS.parent / Path(path).parent in GONE, path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve()
        assert path.exists() or path.parent in GONE, target
