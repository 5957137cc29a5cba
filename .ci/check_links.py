"""Checks the built site: each link within it leads to something, and no page loads anything from elsewhere.

    python .ci/check_links.py build/docs
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that load what they name when the page opens
LOADING = {"script", "img", "link", "source", "iframe", "video", "audio"}
# Relations of a `link` that name an address and load nothing
NAMING = {"canonical", "next", "prev", "author", "index", "search", "alternate"}


class Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.loaded = {"", "top"}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        address = attributes.get("href") or attributes.get("src")
        if address and tag in LOADING and attributes.get("rel") not in NAMING:
            self.loaded.append(address)
        if address:
            self.links.append(address)


def faults(folder):
    """A line for each link that leads nowhere, and for each thing that a page loads from elsewhere."""
    paths = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.relative_to(folder).parts]
    pages = {path: Page(path) for path in paths}
    for path, page in pages.items():
        name = path.relative_to(folder)
        yield from (f"{name}: loads {address}" for address in page.loaded if urlsplit(address).netloc)
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{name}: {address} is not there"
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name}: {address} has no such anchor"


if __name__ == "__main__":
    found = list(faults(Path(sys.argv[1]).resolve()))
    print(*found, sep="\n")
    sys.exit(bool(found))
