"""The API reference: a page for each public class and function, and tables of these.

``__all__`` of the public modules is the only list of what is public. The pages are written before Sphinx reads its
sources, `api/skrnn.RNNClassifier.rst` and so on; the directive ``public-api`` makes the tables of a module.
"""

import inspect
from importlib import import_module
from pathlib import Path

from sklearn.base import BaseEstimator
from sphinx.util.docutils import SphinxDirective

import skrnn

MODULES = ["skrnn", *(f"skrnn.{name}" for name in skrnn.SUBMODULES)]
GALLERY = """
Gallery
-------

.. minigallery:: {path}
"""


def public_objects(module):
    """Classes and functions of a public module by their names, in its order; a version is neither."""
    module = import_module(module)
    objects = {name: getattr(module, name) for name in module.__all__}
    return {name: value for name, value in objects.items() if callable(value)}


def home(value):
    """The path that names an object, of several that lead to it."""
    return f"{value.__module__}.{value.__name__}"


KINDS = ["Estimators", "Classes", "Functions", "Warnings", "Errors"]
# By its name alone an object is that of the first module that has one.
HOMES = {name: home(value) for module in reversed(MODULES) for name, value in public_objects(module).items()}


def kind_of(value):
    """The title of the table that lists an object."""
    if not inspect.isclass(value):
        return "Functions"
    if issubclass(value, Exception):
        return "Warnings" if issubclass(value, Warning) else "Errors"
    return "Estimators" if issubclass(value, BaseEstimator) else "Classes"


def members(cls):
    """Public methods and properties of a class: those of skrnn, and the methods that scikit-learn gives it."""
    own, inherited = {}, {}
    for name in dir(cls):
        member = inspect.getattr_static(cls, name)
        of = member.fget if isinstance(member, property) else getattr(cls, name, None)
        if name.startswith("_") or not callable(of):
            continue
        module = getattr(of, "__module__", "") or ""
        if module.partition(".")[0] == "skrnn":
            own[name] = member
        elif module.partition(".")[0] == "sklearn":
            inherited[name] = member
    return own, inherited


def title(text, line):
    return [text, line * len(text), ""]


def page_of(value):
    """The source of the page of a public object."""
    name, module = value.__name__, value.__module__
    lines = [*title(name, "="), f".. currentmodule:: {module}", ""]
    if not inspect.isclass(value):
        lines += [f".. autofunction:: {name}", ""]
    elif issubclass(value, Exception):
        lines += [f".. autoexception:: {name}", ""]
    else:
        lines += [f".. autoclass:: {name}", "", *of_members(value)]
    return "\n".join(lines) + GALLERY.format(path=home(value))


def of_members(cls):
    own, inherited = members(cls)
    properties = [name for name, member in own.items() if isinstance(member, property)]
    methods = [name for name in own if name not in properties]
    lines = []
    for heading, names, directive in (("Methods", methods, "method"), ("Properties", properties, "property")):
        if names:
            lines += title(heading, "-")
            lines += [".. autosummary::", "", *(f"   ~{cls.__name__}.{name}" for name in names), ""]
            lines += [line for name in names for line in (f".. auto{directive}:: {cls.__name__}.{name}", "")]
    if inherited:
        lines += ["From scikit-learn: " + ", ".join(f"``{name}``" for name in inherited) + ".", ""]
    return lines


def write_pages(app):
    """One file for each public object; a file that stands already is left alone, so that Sphinx need not read it."""
    folder = Path(app.srcdir, "api")
    pages = {f"{home(value)}.rst": page_of(value) for module in MODULES for value in public_objects(module).values()}
    for path in folder.glob("*.rst"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


class PublicApi(SphinxDirective):
    """Tables of the public objects of a module, by kind."""

    required_arguments = 1

    def run(self):
        module = self.arguments[0]
        objects_of = {kind: [] for kind in KINDS}
        for value in public_objects(module).values():
            objects_of[kind_of(value)].append(value)
        lines = []
        for kind, objects in objects_of.items():
            if not objects:
                continue
            lines += [f".. rubric:: {kind}", "", ".. autosummary::", "   :nosignatures:", ""]
            lines += [*(f"   ~{home(value)}" for value in objects), ""]
        pages = [home(value) for objects in objects_of.values() for value in objects if value.__module__ == module]
        lines += [".. toctree::", "   :hidden:", f"   :caption: {module}", "", *(f"   {page}" for page in pages)]
        return self.parse_text_to_nodes("\n".join(lines))


def resolve(app, env, node, text):
    """The link of a reference by a public name alone, as in ``:func:`backtest```."""
    name, _, member = node["reftarget"].partition(".")
    if node.get("refdomain") != "py" or name not in HOMES:
        return None
    target = f"{HOMES[name]}.{member}".removesuffix(".")
    return env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, node["reftype"], target, node, text)


def setup(app):
    app.connect("builder-inited", write_pages, priority=100)
    app.connect("missing-reference", resolve)
    app.add_directive("public-api", PublicApi)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
