"""Relative links of pages to files of the repository that are not pages.

An example leads to its page in the gallery, what a page includes to that page, a folder or any other file to the
repository, at the tag of this version. What lies in `docs` besides pages is copied into the site, as Sphinx does.
A link whose text is the name of a file of Markdown shows the title of that page.
"""

import os
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog"}


def link_to_repository(app, doctree):
    """Replace the links of a page to what lies outside of the folder of the pages, and names of files by titles."""
    for node in [*doctree.findall(download_reference), *doctree.findall(pending_xref)]:
        if node.get("reftype") == "myst" and node.get("refdomain") == "doc" and node.astext().endswith(".md"):
            node["refexplicit"] = False
        path = path_of(node, app)
        if path and path.exists() and path.is_relative_to(ROOT) and not path.is_relative_to(app.srcdir):
            node.replace_self(replacement(node, path.relative_to(ROOT), app))


def path_of(node, app):
    """The file or folder that a relative link of Markdown leads to, or None for another kind of link."""
    target = node.get("reftarget", "").partition("#")[0]
    if node.get("reftype") != "myst" or not target:
        return None
    if node["refdomain"] == "doc":          # Markdown without its ending; outside of the pages that is an absolute path
        return Path(f"{target}.md") if os.path.isabs(target) else None
    return Path(os.path.normpath(Path(app.srcdir, node["refdoc"]).parent / target))


def page_of(path):
    """The name of the page that shows a file or folder of the repository, or None."""
    if path.parts[0] == "examples":
        return f"gallery/{path.stem}" if path.suffix == ".py" else "gallery/index"
    return PAGES.get(path.as_posix())


def replacement(node, path, app):
    """The node of a link to a file or folder of the repository, with the text of another one."""
    if page := page_of(path):
        link = pending_xref(
            "", refdomain="std", reftype="doc", reftarget=f"/{page}", refdoc=node["refdoc"], refexplicit=True,
            refwarn=True,
        )
    else:
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        url = f"{app.config.repository}/{kind}/{app.config.repository_tag}/{path.as_posix()}"
        link = nodes.reference("", "", internal=False, refuri=url)
    link += nodes.inline("", "", *node.children[0].children)
    return link


def setup(app):
    app.add_config_value("repository", None, "env")
    app.add_config_value("repository_tag", None, "env")
    app.connect("doctree-read", link_to_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
