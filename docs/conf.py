"""The site: `make docs`.

It works from a folder as from a server: no page loads anything from elsewhere. GALLERY=0 in the environment leaves out
running the examples; READTHEDOCS=1 links to the documentation of scikit-learn and others.
"""

import os
import sys
import warnings
from pathlib import Path

import skrnn

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skrnn"
author = "the developers of skrnn"
copyright = "2026, " + author
version = release = skrnn.__version__
repository = "https://github.com/skrnn/skrnn"
repository_tag = f"v{release}"

extensions = [
    "myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx_copybutton", "sphinx_design",
    "sphinx_gallery.gen_gallery", "mathml", "public_api", "repository_links", "table_cells",
]
exclude_patterns = ["_ext", "_static", "measurements", "gallery/backreferences", "gallery/sg_execution_times.rst"]
templates_path = ["_templates"]
default_role = "code"
smartquotes = False                         # a string that was copied is one
toc_object_entries_show_parents = "hide"
# The order of the gallery is a function; a folder above the examples may have spaces in its name.
suppress_warnings = ["config.cache", "sphinx_gallery.space_in_filename"]
nitpicky = True
# Objects of other libraries are names here; on Read the Docs they are links.
nitpick_ignore_regex = [("py:.*", r"(dask|matplotlib|numpy|onnx|pandas|scipy|sklearn)\..*")]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4

autosummary_generate = False                # `public_api` writes the pages
numpydoc_show_class_members = False         # it lists them, too

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"gallery\.py",
    "plot_gallery": os.environ.get("GALLERY") != "0",
    "within_subsection_order": "gallery_order.position",
    "backreferences_dir": "gallery/backreferences",
    "doc_module": ("skrnn",),
    "default_thumb_file": str(Path(__file__).parent / "_static/no_picture.svg"),
    "inspect_global_variables": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "show_memory": False,
    "capture_repr": (),                     # what an example prints, not what its last line is
    "remove_config_comments": True,
    "abort_on_example_error": False,
    "download_all_examples": False,
}
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")

if os.environ.get("READTHEDOCS"):
    extensions.append("sphinx.ext.intersphinx")
    html_baseurl = os.environ["READTHEDOCS_CANONICAL_URL"]
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "matplotlib": ("https://matplotlib.org/stable", None),
    }

html_theme = "pydata_sphinx_theme"
html_title = f"skrnn {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": f"skrnn {release}"},
    "icon_links": [
        {"name": "GitHub", "url": repository, "icon": "fa-brands fa-github"},
        {"name": "PyPI", "url": "https://pypi.org/project/skrnn/", "icon": "fa-brands fa-python"},
    ],
    "navbar_persistent": ["search-button-field"],
    "show_nav_level": 1,
    "navigation_depth": 3,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
html_sidebars = {"index": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
linkcheck_anchors = False                   # GitHub writes those of its pages by script
