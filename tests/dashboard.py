"""Opening the dashboard without a browser, for tests/pages."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
TIMEOUT = 60  # seconds; the first run of a session imports everything


def open_page(page="explore", **query):
    """Enter through app.py with this query string, then go to the page."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=TIMEOUT)
    for key, value in query.items():
        app.query_params[key] = [*map(str, value)] if isinstance(value, tuple) else str(value)
    app.run()
    return app if page == "explore" else app.switch_page(f"pages/{page}.py").run()


def answer(app):
    """The page's one-sentence answer, which is its title."""
    (title,) = app.title
    return title.value


def calm(app):
    """Nothing went wrong: no traceback, no error box, and there is an answer."""
    assert not app.exception, app.exception[0].message
    assert not app.error, app.error[0].value
    return bool(answer(app))


def shown(text):
    """Markdown as the visitor reads it, without the backslashes that make it harmless."""
    return re.sub(r"\\(.)", r"\1", text)
