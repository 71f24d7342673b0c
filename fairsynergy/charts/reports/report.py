"""Reproductions as files: figures as SVG, PNG and HTML, data as CSV, and one page with all claims in four columns.

Nothing here asks another host for anything, and no browser is needed: vl-convert draws. The page of all claims holds
no script. Files are written beside their place and moved there once all of them exist.
"""

from __future__ import annotations

import html as markup
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import altair as alt
import jinja2
import pandas as pd
import vl_convert

from fairsynergy.charts.comparison import Spec
from fairsynergy.charts.figure import Figure
from fairsynergy.charts.paper import figures
from fairsynergy.errors import ProblemError
from fairsynergy.experiments.reproduction import COLUMNS, Claim, Reproduction, Verdict
from fairsynergy.fleets.tables import shielded
from fairsynergy.words.phrases import duration, listed

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"  # of one width, so that text fits wherever it is drawn
GREY = "#888888"
# How figures look on paper; Vega's own text is too small for the back row.
STYLE: Spec = {
    "aria": False,  # the picture has one description; one per mark would drown it
    "background": "white",
    "font": FONT,
    "axis": {
        "labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "gridColor": "#e2e2e2",
        "domainColor": GREY, "tickColor": GREY,
    },
    "axisY": {"titlePadding": 8},
    "legend": {"labelFontSize": 13, "titleFontSize": 13, "symbolSize": 110},
    "padding": 6,
    "title": {"fontSize": 16, "subtitleFontSize": 13, "subtitlePadding": 5},
    "view": {"stroke": None},
}  # fmt: skip
SCALE = 2.0  # pixels of a PNG per pixel of a figure
FORMATS = {"html": "interactive", "svg": "SVG", "png": "PNG"}
REPORT, TABLES = "report.html", "claims.md"
# How a page of ours begins; nobody else's file is overwritten.
OURS = '<meta name="generator" content="fairsynergy'
# The Vega-Lite that Altair writes is the Vega-Lite that draws.
DIALECT = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])

# How many claims ended how, in a sentence.
TALLY = {
    Verdict.HOLDS: "hold when recomputed",
    Verdict.PROTOCOL: "hold by the paper's protocol only",
    Verdict.FAILS: "do not hold",
    Verdict.OPEN: "cannot be checked",
}

Progress = Callable[[str], None]


class Origin(NamedTuple):
    """Where numbers come from: the package's version, the command line that made them, and the seed if there is one."""

    version: str
    command: str
    seed: int | None = None


def svg(figure: Figure) -> str:
    """A figure as a static SVG image, on white."""
    drawn = vl_convert.vegalite_to_svg(figure.spec, vl_version=DIALECT, config=STYLE, allowed_base_urls=[])
    return str(drawn).replace("<svg ", f'<svg role="img" aria-label="{markup.escape(figure.alt)}" ', 1)


def png(figure: Figure) -> bytes:
    """A figure as a PNG image, on white, `SCALE` times as large as the SVG image."""
    return _pixels(svg(figure))


def html(figure: Figure) -> str:
    """A figure as an interactive page that holds all it needs, Vega included."""
    # vl_convert.vegalite_to_html would let a "</script>" in the data end the script.
    options = {"mode": "vega-lite", "renderer": "svg", "config": STYLE}
    options["actions"] = {"export": True, "source": False, "compiled": False, "editor": False}
    return page("figure.html", figure=figure, library=_vega(), spec=_script(figure.spec), options=_script(options))


def csv(table: pd.DataFrame) -> str:
    r"""A table as CSV: numbers with all their digits, text that no spreadsheet runs, lines that end in "\n".

    Examples
    --------
    >>> csv(pd.DataFrame({"agents": [1], "mean": [0.1 + 0.2]}))
    'agents,mean\n1,0.30000000000000004\n'
    >>> csv(pd.DataFrame({"agent": ["=1+1", "-1"], "gain": [-1, 0.5]}))
    "agent,gain\n'=1+1,-1.0\n'-1,0.5\n"
    """
    text = {
        name: [shielded(cell) if isinstance(cell, str) else cell for cell in table[name]]
        for name in table.select_dtypes(exclude=["number", "bool"])
    }
    return str(table.assign(**text).rename(columns=shielded).to_csv(index=False, lineterminator="\n"))


def markdown(reproductions: Sequence[Reproduction]) -> str:
    """The four columns of every claim as Markdown tables, with the reasons below each.

    Examples
    --------
    >>> from fairsynergy.experiments.reproduction import Claim
    >>> claim = Claim("gain", "+6 %", "-", "+13 %", "+13 %", "The released rule rescales.", Verdict.FAILS)
    >>> print(markdown([Reproduction("fig5", "Scaling", "Twenty seeds.", (claim,), {}, 1.0)]))
    ## Scaling
    <BLANKLINE>
    Twenty seeds.
    <BLANKLINE>
    | Claim | What the paper claims | What the released data say | Recomputed by the paper's protocol | What is right |
    |---|---|---|---|---|
    | gain | +6 % | - | +13 % | +13 % |
    <BLANKLINE>
    - gain: does not hold. The released rule rescales.
    <BLANKLINE>
    """
    parts = []
    for reproduction in reproductions:
        parts += [f"## {_plain(reproduction.title)}", "", _plain(reproduction.protocol), ""]
        if reproduction.claims:
            parts += [f"| Claim | {' | '.join(COLUMNS.values())} |", f"|---{'|---' * len(COLUMNS)}|"]
        for claim in reproduction.claims:
            cells = [claim.what, *(getattr(claim, field) for field in COLUMNS)]
            parts.append(f"| {' | '.join(_plain(cell) for cell in cells)} |")
        reasons = [f"- {_plain(c.what)}: {_plain(_why(c))}" for c in reproduction.claims if _why(c)]
        parts += ["", *reasons, ""] if reasons else [""]
    return "\n".join(parts)


def _heading(origin: Origin) -> str:
    return (
        "# The Fair-Synergy paper, run again\n\n"
        "What O. Baser, K. Kale, P. Li and S. Chinchali claim in *Fair Resource Allocation for Fleet Intelligence*, "
        "what the data say that they released, what their own protocol yields, and what is right once defects are "
        "removed, the search has converged, or the optimum is certified. A claimed gain holds if both are within a "
        "tenth of it, and by its protocol only if just the former is; “up to” a gain, if nine tenths of it occur; an "
        f"order of growth, if the fitted exponent is at most 0.3 above it.\n\n"
        f"Written by `{origin.command}`, version {origin.version}.\n\n"
    )


def report(reproductions: Sequence[Reproduction], origin: Origin) -> str:
    """One page for all: claims in four columns, static figures, links to the files that `write` puts beside it.

    Parameters
    ----------
    reproductions : sequence of Reproduction
        In reading order.
    origin : Origin
        What made them.
    """
    return _report(reproductions, origin, {r.name: _drawings(r) for r in reproductions})


def prepare(folder: Path, names: Iterable[str] = ()) -> None:
    """Make the folder, and find out before anything is computed whether it takes the files of `write`.

    Parameters
    ----------
    folder : Path
        Where files are to go.
    names : iterable of str, optional
        Of the reproductions that will be written.

    Raises
    ------
    ProblemError
        If it cannot be made, does not take files, or holds what a report would replace but did not write.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".try-"):
            pass
        page = folder / REPORT
        if page.is_file() and OURS in page.read_text(encoding="utf-8", errors="replace")[:2000]:
            return
        taken = [place for place in (page, folder / TABLES, *(folder / name for name in names)) if place.exists()]
    except OSError as error:
        raise _unwritable(folder, error) from None
    if taken:
        raise ProblemError(
            f"{taken[0]} exists, and no report of ours in {folder} says that it may be replaced; give another folder, "
            "or move it away",
            field="folder",
        )


def write(
    reproductions: Sequence[Reproduction], folder: Path, origin: Origin, *, progress: Progress = lambda text: None
) -> list[Path]:
    """Write NAME/FIGURE.html, .svg and .png, NAME/TABLE.csv, report.html, and the claims alone as claims.md.

    Parameters
    ----------
    reproductions : sequence of Reproduction
        In reading order.
    folder : Path
        Made if need be; what an earlier call wrote there is replaced.
    origin : Origin
        What made them.
    progress : callable, optional
        Told in a few words what was done, about as often as there are files.

    Returns
    -------
    list of Path
        What was written, the report first.

    Raises
    ------
    ProblemError
        If a file cannot be written, or would replace one that is not ours; then nothing is replaced.
    """
    prepare(folder, [reproduction.name for reproduction in reproductions])
    drawn = {reproduction.name: figures(reproduction) for reproduction in reproductions}
    names = [Path(REPORT), Path(TABLES)]
    for reproduction in reproductions:
        names += [Path(reproduction.name, f"{name}.{kind}") for name in drawn[reproduction.name] for kind in FORMATS]
        names += [Path(reproduction.name, f"{name}.csv") for name in reproduction.tables]
    written: list[Path] = []

    def put(name: Path, content: bytes) -> None:
        place = staging / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
        written.append(name)
        progress(f"{name.as_posix()} ({len(written)} of {len(names)})")

    try:
        with TemporaryDirectory(dir=folder, prefix=".writing-") as temporary:
            staging = Path(temporary)
            pictures: dict[str, dict[str, _Drawing]] = {}
            for one in reproductions:
                pictures[one.name] = {}
                for key, figure in drawn[one.name].items():
                    drawing = pictures[one.name][key] = _Drawing(figure, svg(figure))
                    put(Path(one.name, f"{key}.html"), html(figure).encode())
                    put(Path(one.name, f"{key}.svg"), drawing.svg.encode())
                    put(Path(one.name, f"{key}.png"), _pixels(drawing.svg))
                for key, table in one.tables.items():
                    put(Path(one.name, f"{key}.csv"), csv(table).encode())
            put(Path(TABLES), (_heading(origin) + markdown(reproductions)).encode())
            put(Path(REPORT), _report(reproductions, origin, pictures).encode())
            for name in names:
                (folder / name).parent.mkdir(exist_ok=True)
                os.replace(staging / name, folder / name)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return [folder / name for name in names]


class _Drawing(NamedTuple):
    """A figure and its picture."""

    figure: Figure
    svg: str


def _pixels(picture: str) -> bytes:
    return bytes(vl_convert.svg_to_png(picture, scale=SCALE))


def _drawings(reproduction: Reproduction) -> dict[str, _Drawing]:
    return {name: _Drawing(figure, svg(figure)) for name, figure in figures(reproduction).items()}


def _report(
    reproductions: Sequence[Reproduction], origin: Origin, pictures: Mapping[str, Mapping[str, _Drawing]]
) -> str:
    return page(
        "report.html",
        **origin._asdict(),
        columns=COLUMNS,
        formats=FORMATS,
        tally=_tally(reproductions),
        reproductions=[
            {
                "name": reproduction.name,
                "title": reproduction.title,
                "protocol": reproduction.protocol,
                "claims": [
                    claim._asdict() | {"verdict": claim.verdict.value, "why": _why(claim)}
                    for claim in reproduction.claims
                ],
                "took": duration(reproduction.seconds),
                "tables": {name: len(table) for name, table in reproduction.tables.items()},
                "figures": [
                    {
                        "name": name,
                        "title": drawing.figure.title,
                        "alt": drawing.figure.alt,
                        "svg": drawing.svg,
                    }
                    for name, drawing in pictures[reproduction.name].items()
                ],
            }
            for reproduction in reproductions
        ],
    )


def _why(claim: Claim) -> str:
    """What became of a claim, and why."""
    return f"{claim.verdict.value}. {claim.reason}".strip() if claim.verdict.value else claim.reason


def _tally(reproductions: Sequence[Reproduction]) -> str:
    """How many claims hold, in a sentence; empty where nothing was judged."""
    counts = Counter(claim.verdict for reproduction in reproductions for claim in reproduction.claims)
    said = [f"{counts[verdict]} {words}" for verdict, words in TALLY.items() if counts[verdict]]
    return f"Of the paper's claims, {listed(said)}." if said else ""


@cache
def _templates() -> jinja2.Environment:
    """The pages; what is put into them is escaped, but for pictures and scripts of ours."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("fairsynergy.charts.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(template: str, **content: Any) -> str:
    """A page of the folder templates with this content, all of it escaped but what the template calls safe."""
    return _templates().get_template(template).render(**content).lstrip()


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    expose = "window.vegaEmbed = vegaEmbed;"
    return str(vl_convert.javascript_bundle(expose, vl_version=DIALECT))


def _script(value: Any) -> str:
    """A value as JSON for a script, which no text in it can end."""
    return json.dumps(value).replace("<", "\\u003c")


def _plain(text: str) -> str:
    r"""Text on one line of Markdown, without markup of its own.

    >>> print(_plain("a|b <i>*x*</i>"))
    a\|b &lt;i>\*x\*&lt;/i>
    """
    return re.sub(r"([\\|*_`\[\]])", r"\\\1", " ".join(text.split())).replace("<", "&lt;")


def _unwritable(folder: Path, error: OSError) -> ProblemError:
    what = error.filename or folder
    return ProblemError(f"{what} cannot be written: {error.strerror}; give a folder that takes files", field="folder")
