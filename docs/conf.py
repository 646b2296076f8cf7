"""How Sphinx builds the site: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

import sys
from pathlib import Path

import tomllib

HERE = Path(__file__).parent
# The site describes this checkout, and its own extensions lie beside it.
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))

import tinygrad_norm  # noqa: E402  # found through the line above

project = "tinygrad_norm"
author = "the tinygrad_norm authors"
version = release = tinygrad_norm.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "accessible",
    "docstrings",
    "for_machines",
    "generated",
    "live_page",
    "mathml",
]
exclude_patterns = ["_build", "alternatives", "live", "notebook", "**/.ipynb_checkpoints"]
# The notebook is stored executed; .ci/run checks that executing it again gives the same.
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
add_module_names = False
toc_object_entries_show_parents = "hide"
maximum_signature_line_length = 88

html_theme = "furo"
html_title = "tinygrad_norm"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_search_scorer = str(HERE / "_static" / "scorer.js")
# Where the site lies, if it is known.
html_baseurl = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["site"]
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
