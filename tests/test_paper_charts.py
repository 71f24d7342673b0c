"""The paper's figures, and reproductions as files: every picture compiles, every page is complete and escaped."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import vl_convert
from PIL import Image

import fairsynergy as fs
from fairsynergy.charts import axonometric, lines, palette, paper
from fairsynergy.charts.reports import report
from fairsynergy.experiments.reproduction import COLUMNS, Claim, Reproduction, Verdict

EVIL = "<script>alert('x')</script> & \"|\" *b*"
CLAIMS = (
    Claim("mean over Uniform", "+13 %", "+13.0 %", "+13.0 %", "+13.0 %", "The same draws.", Verdict.HOLDS),
    Claim(EVIL, f"paper {EVIL}", f"released {EVIL}", f"again {EVIL}", f"right {EVIL}", f"reason {EVIL}", Verdict.FAILS),
)
ORIGIN = report.Origin("9.9", f"fairsynergy reproduce all --out {EVIL}", 7)
SIX = list(fs.POLICIES)
DL_NAMES = [
    "Fair-Synergy (1 pass)", "Fair-Synergy (converged)", "Uniform", "Random", "Certified optimum",
    "Certified optimum, saturated", "Uniform, saturated", "Fair-Synergy, saturated",
]  # fmt: skip


def utility():
    amounts = np.linspace(0, 2, 25)
    compute, labels = (axis.ravel() for axis in np.meshgrid(amounts, amounts, indexing="ij"))
    surface = pd.DataFrame({"compute": compute, "labels": labels, "utility": (compute * labels) ** 0.5})
    return {
        "surface": surface,
        "slices": surface[surface["labels"].isin([0.5, 1.0, 2.0])],
        "isoquants": pd.concat(
            [
                pd.DataFrame({"utility": level, "compute": x, "labels": level**2 / x})
                for level in (0.5, 1.0)
                for x in [np.linspace(level**2 / 2, 2, 60)]
            ]
        ),
    }


def curves(family="ResNet", models=("MNIST", EVIL)):
    amounts = np.arange(1, 9)
    rows = [
        pd.DataFrame(
            {
                "family": family, "model": model, "resource": "training data [share]", "amount": amounts,
                "accuracy": 0.5 * amounts ** (0.1 + 0.1 * k), "fitted": np.nan if k else 0.5 * amounts**0.1,
            }
        )
        for k, model in enumerate(models)
    ]  # fmt: skip
    return pd.concat(rows)


def gains(rules=SIX, experiments=200):
    rng = np.random.default_rng(0)
    rows = []
    for setting in ("RTI", "DL"):
        luck = rng.normal(0.6, 0.05, experiments)
        for k, rule in enumerate(rules):
            mean = luck * (1 - 0.02 * k) + rng.normal(0, 0.002, experiments)
            table = {"setting": setting, "protocol": "random pairs", "experiment": range(experiments), "rule": rule}
            rows.append(pd.DataFrame(table | {"mean": mean, "worst": mean / 2, "best": mean * 1.5}))
    tests = pd.DataFrame(
        {
            "setting": "RTI", "protocol": "random pairs", "rule": SIX[1:], "median_gain": 0.1, "mean_gain": 0.1,
            "largest_gain": 0.2, "least_gain": 0.0, "p": 3e-12, "wins": 0.987,
        }
    )  # fmt: skip
    return {"gains": pd.concat(rows), "tests": tests}


def scaling(names, settings=("RTI", "DL"), sizes=range(1, 101)):
    rows = []
    for setting in settings:
        for k, rule in enumerate(names):
            sizes_here = np.array(sizes)
            mean = 0.5 + 0.03 * k + 0.002 * k * np.log(sizes_here)
            if rule == "DRF":  # as Uniform
                mean = 0.5 + 0.03 * names.index("Uniform") + 0.002 * names.index("Uniform") * np.log(sizes_here)
            if rule == "Certified optimum":
                mean = mean * sizes_here**0.7
            rows.append(
                pd.DataFrame(
                    {
                        "setting": setting, "rule": rule, "agents": sizes_here, "mean": mean, "std": 0.3 / sizes_here,
                        "worst": mean / 2, "best": mean * 2, "gini": 0.1 * (mean / mean.max()),
                    }
                )
            )  # fmt: skip
    return pd.concat(rows)


def agents():
    grants, accuracy = [], []
    place = np.arange(10)
    own = 0.01 * (1 + place)
    for fleet, resources in (("RTI, mixed", ["compute"]), ("DL, mixed", ["compute", "labels"])):
        for rule in ("NUM", "Fair-Synergy"):
            # NUM fills to one level, 0.09; Fair-Synergy to one level per difficulty, and passes over the hardest.
            gamma = np.repeat([0.9, 0.6, 0.3], [4, 3, 3])
            level = np.full(10, 0.09) if rule == "NUM" else np.repeat([0.0, 0.16, 0.12], [4, 3, 3])
            common = {"fleet": fleet, "rule": rule, "agent": [f"agent {i}" for i in place], "place": place}
            for resource in resources:
                granted = np.maximum(level - own, 0)
                more = {"resource": resource, "own": own, "granted": granted, "elasticity": gamma}
                grants.append(pd.DataFrame(common | more))
            accuracy.append(pd.DataFrame(common | {"before": own**gamma, "after": np.maximum(own, level) ** gamma}))
    return {"grants": pd.concat(grants), "accuracy": pd.concat(accuracy)}


def complexity():
    times = [
        {"rule": rule, "resources": m, "agents": n, "seconds": 1e-5 * m * n ** (1 + 0.1 * k)}
        for k, rule in enumerate(SIX)
        for m in (1, 2)
        for n in (100, 1000, 10_000, 100_000)
    ]
    slow = [
        {"rule": "NUM by an interior point method", "resources": 1, "agents": n, "seconds": 0.1} for n in (100, 1000)
    ]
    exponents = pd.DataFrame(
        {
            "rule": SIX * 2, "resources": [1] * 6 + [2] * 6, "claimed": "O(mn)", "claimed_exponent": [1.0, np.nan] * 6,
            "fitted": 1.234, "error": 0.05,
        }
    )  # fmt: skip
    return {"times": pd.DataFrame(times + slow), "exponents": exponents}


def reproduction(name, tables):
    return Reproduction(name, f"{name} {EVIL}", f"protocol {EVIL}", CLAIMS, tables, 1.5)


ALL = [
    reproduction("fig2", utility()),
    reproduction("fig3", {"curves": curves()}),
    reproduction("fig4", gains()),
    reproduction(
        "fig5", {"scaling": scaling(SIX), "released": scaling(["Fair-Synergy", "Uniform"]).drop(columns="gini")}
    ),
    reproduction("dl-scaling", {"scaling": scaling(DL_NAMES, settings=["DL"])}),
    reproduction("fig6", agents()),
    reproduction("complexity", complexity()),
]
BY_NAME = {one.name: one for one in ALL}
DRAWN = {f"{one.name}/{name}": figure for one in ALL for name, figure in paper.figures(one).items()}

# What stands along the axes of each figure.
AXES = {
    "fig2/utility": ["Compute [units]", "Labels [units]", "Utility"],
    "fig3/curves": ["Training data [share]", "Accuracy (share correct)"],
    "fig4/boxes": ["Mean accuracy (share correct)"],
    "fig4/gains": ["Gain in mean accuracy"],
    "fig5/scaling": ["Agents", "Mean accuracy (share correct)"],
    "fig5/gain": ["Agents", "Gain over Uniform"],
    "fig5/worst": ["Agents", "Worst-off accuracy (share correct)"],
    "fig5/gini": ["Agents", "Gini index of accuracies"],
    "dl-scaling/scaling": ["Agents", "Mean accuracy (share correct)", "Mean utility"],
    "dl-scaling/gain": ["Agents", "Gain over Uniform"],
    "dl-scaling/worst": ["Agents", "Worst-off accuracy (share correct)"],
    "dl-scaling/gini": ["Agents", "Gini index of accuracies"],
    "fig6/grants-rti": ["Agent", "Compute held [units]"],
    "fig6/grants-dl": ["Agent", "Compute held [units]", "Labels held [units]"],
    "fig6/accuracy": ["Agent", "Accuracy (share correct)"],
    "complexity/times": ["Agents", "Time to allocate"],
    "complexity/exponents": ["Exponent of the number of agents"],
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder that `write` filled, what it returned, and what it told."""
    folder, told = tmp_path_factory.mktemp("report") / "new" / "folder", []
    return folder, report.write(ALL, folder, ORIGIN, progress=told.append), told


@pytest.fixture(scope="module")
def pictures(written):
    """Every figure as SVG."""
    return {name: (written[0] / f"{name}.svg").read_text(encoding="utf-8") for name in DRAWN}


def views(spec, data=None):
    """Every view of a specification that has marks, with the name of the table that it reads, its own or inherited."""
    data = spec.get("data", data)
    inner = [view for key in ("layer", "concat", "vconcat", "hconcat") for view in spec.get(key, [])]
    return [one for view in inner for one in views(view, data)] if inner else [spec | {"data": data}]


def fields(spec):
    return {
        part["field"]
        for channel in spec.get("encoding", {}).values()
        for part in (channel if isinstance(channel, list) else [channel])
        if "field" in part
    }


def words(markup):
    """The texts of a picture or a page, in order."""
    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(markup)
    return [text.strip() for text in found if text.strip()]


def test_every_figure_is_expected():
    assert list(DRAWN) == list(AXES)


@pytest.mark.parametrize("name", AXES)
class TestEveryFigure:
    def test_is_complete_and_lean(self, name):
        figure = DRAWN[name]
        written = json.dumps(figure.spec, allow_nan=False)
        assert len(written) < 300_000
        assert "config" not in figure.spec
        assert figure.spec["title"]["text"] == figure.title
        assert figure.spec["description"] == figure.alt

    def test_reads_columns_that_its_tables_have_and_no_table_in_vain(self, name):
        spec = DRAWN[name].spec
        read = set()
        for view in views(spec):
            table = view["data"]["name"]
            read.add(table)
            rows = spec["datasets"][table]
            assert not rows or fields(view) <= rows[0].keys()
        assert read == spec["datasets"].keys()

    def test_says_in_words_what_it_shows_with_numbers(self, name):
        figure = DRAWN[name]
        assert figure.alt.endswith((".", ")"))
        assert len(re.findall(r"\d", figure.alt)) >= 4
        assert "nan" not in figure.alt

    def test_compiles_to_a_picture_with_its_axes(self, name, pictures):
        drawn = pictures[name]
        texts = words(drawn)
        assert set(AXES[name]) <= set(texts)
        assert DRAWN[name].title in texts
        assert not re.search(r"NaN|undefined|Infinity|null", " ".join(texts))
        width = float(re.search(r'width="([\d.]+)"', drawn)[1])
        assert width <= 720  # what a page has room for

    def test_compiles_without_warnings(self, name, capfd):
        vl_convert.vegalite_to_vega(DRAWN[name].spec, vl_version=report.DIALECT, show_warnings=True)
        assert capfd.readouterr().err == ""

    def test_becomes_pixels_on_white(self, name, pictures, written):
        with Image.open(written[0] / f"{name}.png") as image:
            pixels = image.convert("RGB")
            assert pixels.getpixel((2, 2)) == (255, 255, 255)
            assert len(pixels.getcolors(2**24)) > 50
            width = float(re.search(r'width="([\d.]+)"', pictures[name])[1])
            assert abs(image.width - report.SCALE * width) <= 2


def test_what_is_not_there_is_not_drawn():
    for one in ALL:
        empty = {name: table.iloc[:0] for name, table in one.tables.items()}
        assert paper.figures(replace(one, tables=empty)) == {}
        assert paper.figures(replace(one, tables={})) == {}
    only = paper.figures(reproduction("fig4", {"gains": gains()["gains"]}))["gains"]
    assert "p = " not in only.alt
    assert "published" not in paper.figures(BY_NAME["dl-scaling"])["scaling"].spec["datasets"]
    with pytest.raises(KeyError):
        paper.figures(reproduction("fig7", {}))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_an_index_that_repeats_does_not_matter(one):
    """As it does where tables were joined."""
    again = {name: table.set_axis(np.zeros(len(table), dtype=int)) for name, table in one.tables.items()}
    assert paper.figures(replace(one, tables=again)) == paper.figures(one)


# Fig. 2.


def test_the_surface_is_drawn_from_far_to_near():
    view = axonometric.View(utility()["surface"])
    patches = view.patches()
    assert (patches.groupby("patch").size() == 4).all()
    assert set(patches["utility"].between(0, 2)) == {True}
    # On the floor, what is far is higher up; patches come in that order, but for ties.
    floor = axonometric.View(utility()["surface"].assign(utility=0.0)).patches()
    height = floor.groupby("patch")["y"].max().to_numpy()
    assert height[0] == height.max()
    assert height[-1] == height.min()
    corners = [(2, 2), (0, 0)]
    far, near = (view.place(*corner, 0.0).y for corner in corners)
    assert far > near


def test_everything_stays_inside_the_picture():
    view = axonometric.View(utility()["surface"])
    for table, columns in ((view.patches(), "xy"), (view.frame().query("kind != 'tick'"), ("x", "y", "x2", "y2"))):
        for column in columns:
            limit = axonometric.SIZE["y" in column]
            assert table[column].between(-1e-9, limit + 1e-9).all()


# Fig. 3.


def test_models_measured_once_are_one_curve_with_names():
    models = [f"B{k}" for k in range(8)]
    table = curves(models=["x"]).assign(model=models, family="EfficientNet")
    figure = paper.figures(reproduction("fig3", {"curves": table}))["curves"]
    texts = words(report.svg(figure))
    assert set(models) <= set(texts)
    assert {row["model"] for row in figure.spec["datasets"]["curves"]} == {"EfficientNet"}
    assert "EfficientNet from 0.50 at 1" in figure.alt


def test_a_fit_that_is_missing_draws_no_line():
    figure = DRAWN["fig3/curves"]
    missing = {row["model"] for row in figure.spec["datasets"]["curves"] if row["fitted"] is None}
    assert missing == {EVIL}


# Fig. 4.


def test_boxes_are_tukeys():
    values = pd.Series([*range(1, 12), 100.0])
    rows = {"setting": "RTI", "protocol": "p", "experiment": range(12), "rule": "Uniform", "mean": values}
    figure = paper.figures(reproduction("fig4", {"gains": pd.DataFrame(rows)}))["boxes"]
    (box,) = figure.spec["datasets"]["boxes"]
    assert (box["low"], box["median"], box["high"]) == (3.75, 6.5, 9.25)
    assert (box["least"], box["most"]) == (1, 11)
    assert [row["mean"] for row in figure.spec["datasets"]["beyond"]] == [100]


def test_experiments_are_sampled_whole():
    links = pd.DataFrame(DRAWN["fig4/boxes"].spec["datasets"]["links"])
    sizes = links.groupby(["panel", "experiment"]).size()
    assert (sizes == len(SIX)).all()
    assert (sizes.groupby("panel").size() == paper.LINKED).all()
    assert str(paper.LINKED) in " ".join(DRAWN["fig4/boxes"].spec["title"]["subtitle"])


def test_gains_are_fair_synergys_over_each_rule_with_the_test():
    table = gains()["gains"].query("setting == 'RTI'").pivot(index="experiment", columns="rule", values="mean")
    median = (table["Fair-Synergy"] / table["Leximin"] - 1).median()
    alt = DRAWN["fig4/gains"].alt
    assert f"Leximin: {100 * median:+.1f} % (in 98.7 %, p = 3e-12)" in alt.split("DL,")[0]
    assert "p = " not in alt.split("DL,")[1]  # where nothing was tested
    middles = pd.DataFrame(DRAWN["fig4/gains"].spec["datasets"]["middles"])
    assert middles.groupby("panel")["base"].nunique().eq(len(SIX) - 1).all()


# Fig. 5 and its kin.


def test_lines_that_coincide_are_named(pictures):
    figure = DRAWN["fig5/scaling"]
    assert "One line: DRF = Uniform." in figure.alt
    assert words(pictures["fig5/scaling"]).count("One line: DRF = Uniform.") == 2
    # Their marks stand at different places.
    drawn = pd.DataFrame(figure.spec["datasets"]["lines"]).query("marked and panel.str.startswith('Real')")
    at = {rule: set(rows["agents"]) for rule, rows in drawn.groupby("rule")}
    assert not at["DRF"] & at["Uniform"]


def test_every_line_is_named_at_its_end_and_no_name_hides_another(pictures):
    for name in ("fig5/scaling", "dl-scaling/scaling", "complexity/times"):
        ends = pd.DataFrame(DRAWN[name].spec["datasets"]["ends"])
        texts = words(pictures[name])
        for label in ends["label"]:
            assert set(label.split("\n")) <= set(texts)
    ends = pd.DataFrame(DRAWN["fig5/scaling"].spec["datasets"]["ends"])
    for (_, rows), view in zip(ends.groupby("panel", sort=False), DRAWN["fig5/scaling"].spec["vconcat"], strict=True):
        low, high = next(
            one["encoding"]["y"]["scale"]["domain"] for one in views(view) if "scale" in one["encoding"]["y"]
        )
        places = np.sort(rows["label_y"]) / (high - low) * view["height"]
        assert (np.diff(places) > lines.GAP - 0.1).all()


def test_utilities_above_one_have_a_panel_of_their_own():
    figure = DRAWN["dl-scaling/scaling"]
    drawn = pd.DataFrame(figure.spec["datasets"]["lines"])
    first, second = drawn["panel"].unique()
    assert "Certified optimum" not in set(drawn[drawn["panel"] == first]["rule"])
    shown = set(drawn[drawn["panel"] == second]["rule"])
    assert "Certified optimum" in shown
    assert not any(rule.endswith("saturated") for rule in shown)
    assert "a utility is no accuracy" in " ".join(figure.spec["title"]["subtitle"]).replace("\n", " ")
    assert "Certified optimum, whose" not in DRAWN["dl-scaling/gain"].alt
    gain = {row["rule"] for row in DRAWN["dl-scaling/gain"].spec["datasets"]["lines"]}
    assert gain == {name for name in DL_NAMES if not name.startswith("Uniform")} - {"Certified optimum"}


def test_variants_have_their_rules_colour_and_a_dash_of_their_own():
    scales = [
        one["encoding"][channel]["scale"]
        for channel in ("color", "strokeDash")
        for one in views(DRAWN["dl-scaling/scaling"].spec)
        if channel in one["encoding"]
    ]
    colours = dict(zip(scales[0]["domain"], scales[0]["range"], strict=True))
    dashes = {name: tuple(dash) for name, dash in zip(scales[-1]["domain"], scales[-1]["range"], strict=True)}
    for name in DL_NAMES:
        rule = next(rule for rule in palette.RULES if name.startswith(rule))
        assert colours[name] == palette.RULES[rule].colour
    assert len({(colours[name], dashes[name]) for name in DL_NAMES}) == len(DL_NAMES)


def test_gains_are_ratios_of_means():
    table = scaling(SIX).query("setting == 'RTI' and agents == 100").set_index("rule")["mean"]
    gain = table["Fair-Synergy"] / table["Uniform"] - 1
    assert f"Fair-Synergy −{-100 * gain:.1f} %" in DRAWN["fig5/gain"].alt.split("Distributed")[0]


def test_a_line_that_ends_early_says_where():
    assert "NUM by an interior point method 100 ms at 1,000 agents" in DRAWN["complexity/times"].alt


# Fig. 6.


def test_levels_are_drawn_where_grants_make_them():
    levels = pd.DataFrame(DRAWN["fig6/grants-rti"].spec["datasets"]["levels"]).set_index("panel")
    num = levels.loc["RTI, mixed, compute: NUM"]
    assert (num["first"], num["last"], num["level"]) == (0.5, 10.5, 0.09)
    ours = levels.loc["RTI, mixed, compute: Fair-Synergy"]
    assert sorted(ours["level"]) == [0.12, 0.16]
    assert "NUM grants some to 8 of 10 agents, all to the level 0.090" in DRAWN["fig6/grants-rti"].alt


# Reproductions as files.


def test_markdown_has_the_four_columns_of_every_claim():
    text = report.markdown(ALL)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == len(ALL) * (2 + len(CLAIMS))
    assert rows[0] == f"| Claim | {' | '.join(COLUMNS.values())} |"
    for row in rows:
        assert len(re.split(r"(?<!\\)\|", row)) == 2 + 1 + len(COLUMNS)
    assert "<script" not in text
    assert "does not hold. reason" in text


def test_a_table_survives_its_csv():
    for one in ALL:
        for table in one.tables.values():
            text = report.csv(table)
            assert "\r" not in text
            heading, *rows = csv.reader(io.StringIO(text))
            assert heading == list(table)
            for name, column in zip(heading, zip(*rows, strict=True), strict=True):
                if pd.api.types.is_float_dtype(table[name]):
                    np.testing.assert_array_equal([float(value or "nan") for value in column], table[name])
                else:
                    assert list(column) == [str(value) for value in table[name]]


class Page(HTMLParser):
    """What a browser would find: scripts, whatever is loaded from elsewhere, identifiers, links, texts."""

    def __init__(self, markup):
        super().__init__()
        self.scripts, self.loads, self.ids, self.links, self.inside = [], [], [], [], None
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.inside = tag
        if tag == "script":
            self.scripts.append("")
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.loads += [value for key, value in attributes.items() if key in ("src", "srcset", "data", "xlink:href")]
        if "href" in attributes:
            (self.links if tag == "a" else self.loads).append(attributes["href"])

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data

    def handle_endtag(self, tag):
        self.inside = None


def test_an_interactive_page_holds_all_it_needs_and_data_cannot_end_its_script():
    figure = DRAWN["fig3/curves"]
    page = Page(report.html(figure))
    assert page.loads == []
    assert len(page.scripts) == 2  # Vega, and the call that draws
    inside = page.scripts[1].removeprefix('vegaEmbed("#figure", ')
    spec, _ = json.JSONDecoder().raw_decode(inside)
    assert spec == figure.spec
    assert EVIL in json.dumps(spec, ensure_ascii=False).replace('\\"', '"')


def test_every_file_is_written_and_told(written):
    folder, paths, told = written
    expected = {folder / "report.html", folder / "claims.md"}
    expected |= {folder / f"{name}.{kind}" for name in DRAWN for kind in ("html", "svg", "png")}
    expected |= {folder / one.name / f"{name}.csv" for one in ALL for name in one.tables}
    assert paths[0] == folder / report.REPORT
    assert set(paths) == expected == {path for path in folder.rglob("*") if path.is_file()}
    assert len(told) == len(paths)
    assert told[-1] == f"report.html ({len(paths)} of {len(paths)})"
    for path in folder.rglob("*.png"):
        with Image.open(path) as image:
            image.verify()


def test_the_report_is_one_page_without_scripts_that_links_what_is_there(written):
    folder, _, _ = written
    markup = (folder / report.REPORT).read_text(encoding="utf-8")
    page = Page(markup)
    assert markup.startswith("<!DOCTYPE html>")
    assert page.scripts == page.loads == []
    assert not re.search(r"@import|url\((?!#)", markup)
    assert len(set(page.ids)) == len(page.ids)
    for used in re.findall(r"url\(#([^)]*)\)", markup):
        assert used in page.ids
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("https://github.com/UTAustin-SwarmLab/Fair-Synergy"):
            assert (folder / link).is_file()
    assert len([link for link in page.links if link.endswith(".csv")]) == sum(len(one.tables) for one in ALL)


def test_the_report_says_everything_and_escapes_it(written):
    folder, _, _ = written
    markup = (folder / report.REPORT).read_text(encoding="utf-8")
    assert "<script" not in markup
    texts = words(markup)
    for heading in COLUMNS.values():
        assert texts.count(heading) == 1 + len(ALL)
    for text in (CLAIMS[1].what, *(getattr(CLAIMS[1], field) for field in COLUMNS)):
        assert texts.count(text) == 2 * len(ALL)  # in the table of all claims, and below its experiment
    assert f"Does not hold. {CLAIMS[1].reason}" in texts
    for one in ALL:
        assert {one.title, one.protocol} <= set(texts)
    assert "7 hold when recomputed and 7 do not hold" in markup
    for figure in DRAWN.values():
        assert any(text.startswith(figure.alt) for text in texts)
    assert ORIGIN.command in texts
    assert "seed 7" in markup
    assert "UTAustin-SwarmLab/Fair-Synergy" in markup


def test_no_experiment_is_a_report_too():
    assert "No experiment was run." in report.report([], ORIGIN)


def test_a_second_run_replaces_the_first_byte_by_byte_and_leaves_other_files(tmp_path):
    one = [BY_NAME["complexity"]]
    paths = report.write(one, tmp_path, ORIGIN)
    before = {path: path.read_bytes() for path in paths}
    (tmp_path / "notes.txt").write_text("mine")
    assert report.write(one, tmp_path, ORIGIN) == paths
    assert {path: path.read_bytes() for path in paths} == before
    assert report.report(one, ORIGIN).encode() == before[tmp_path / report.REPORT]
    assert report.png(paper.figures(one[0])["times"]) == before[tmp_path / "complexity" / "times.png"]
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "report.html", "claims.md", "complexity"}


@pytest.mark.parametrize("place", ["report.html", "claims.md", "complexity/times.csv", "complexity"])
def test_nothing_of_somebody_elses_is_replaced(tmp_path, place):
    target = tmp_path / place
    target.parent.mkdir(exist_ok=True)
    target.write_text("mine")
    with pytest.raises(fs.ProblemError, match="exists, and no report of ours") as refused:
        report.write([BY_NAME["complexity"]], tmp_path, ORIGIN)
    assert refused.value.field == "folder"
    assert target.read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [target]
    with pytest.raises(fs.ProblemError, match="exists"):
        report.prepare(tmp_path, ["complexity"])  # before anything is computed


def test_a_folder_that_cannot_be_is_refused_before_anything_is_drawn(tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(fs.ProblemError, match=r"cannot be written: .*; give a folder that takes files"):
            report.prepare(folder)
        with pytest.raises(fs.ProblemError, match="cannot be written"):
            report.write(ALL, folder, ORIGIN, progress=lambda text: pytest.fail("nothing is drawn"))


def test_what_fails_halfway_leaves_what_was_there(tmp_path, monkeypatch):
    one = [BY_NAME["complexity"]]
    before = {path: path.read_bytes() for path in report.write(one, tmp_path, ORIGIN)}
    write_bytes = Path.write_bytes

    def full(path, data):
        if path.suffix == ".csv":
            raise OSError(28, "No space left on device", str(path))
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(fs.ProblemError, match="No space left on device"):
        report.write(one, tmp_path, ORIGIN._replace(version="10"))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
