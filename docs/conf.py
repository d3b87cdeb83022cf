"""How the documentation is built: ``sphinx-build -W -n docs OUTPUT``."""

import re

from cache_conformance import __version__

project = "Django cache conformance"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = f"Django cache conformance {release}"
html_copy_source = False
html_show_copyright = False
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_format = "short"
nitpick_ignore_regex = [
    ("py:.*", r"(pathlib|collections\.abc|typing|enum)\..*"),
    ("py:.*", r"cache_conformance\.(clause|implementation)\..*"),
]


def setup(app):
    """Read what is written for GitHub as MyST and the site need it."""
    app.connect("source-read", _for_the_site)


def _for_the_site(app, page, source):
    """Make anchors targets, and name the files outside this folder that a link leads to."""
    text = re.sub(r'^<a id="([\w-]+)"></a>\n+(?=#)', r"(\1)=\n", source[0], flags=re.MULTILINE)
    source[0] = re.sub(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)\)", r"\1 (`\2`)", text)
