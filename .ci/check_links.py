"""Checks the built site: each link within it leads to something, and no page loads anything from elsewhere.

    python .ci/check_links.py build/docs
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes that hold an address, and elements that load what these name when the page opens
ADDRESSES = ("href", "src", "data", "poster", "action")
LOADING = {"script", "img", "link", "source", "iframe", "video", "audio", "object", "embed"}
# Relations of a `link` that name an address and load nothing
NAMING = {"canonical", "next", "prev", "author", "index", "search", "alternate"}


class Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded = {"", "top"}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = {name: value for name, value in attributes if value}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        addresses = [attributes[name] for name in ADDRESSES if name in attributes]
        addresses += [candidate.split()[0] for candidate in attributes.get("srcset", "").split(", ") if candidate]
        if tag in LOADING and not NAMING & set(attributes.get("rel", "").lower().split()):
            self.loaded += addresses
        self.links += addresses


def faults(folder):
    """A line for each link that leads nowhere, and for each thing that a page loads from elsewhere."""
    paths = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.relative_to(folder).parts]
    pages = {path: Page(path) for path in paths}
    if not pages:
        yield f"{folder} has no pages"
    for path, page in pages.items():
        name = path.relative_to(folder)
        yield from (f"{name}: loads {address}" for address in page.loaded if urlsplit(address).netloc)
        for address in page.links:
            if fault := fault_of(address, path, folder, pages):
                yield f"{name}: {address} {fault}"


def fault_of(address, path, folder, pages):
    """What is wrong with a link of the page at a path, or None."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists() or not target.is_relative_to(folder):
        return "is not there"
    if target.is_dir():             # a server shows its index, a browser that opens the folder a list of files
        return "is a folder"
    if target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return "has no such anchor"
    return None


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1]).resolve()))
    sys.exit("\n".join(found) or 0)
