"""What a visitor sees of a page in a browser, for tests/browser: charts, scenes, tables, controls and text, read back.

Two pages that look alike read alike. A chart is read from what is drawn, not from the data that were sent: its SVG,
with every mark, label and colour. Left out is what differs between two visits for a reason that is said here.
"""

import difflib
import re

# Of a 3-D scene: everything but the camera, which a visitor may have turned and which no link holds, and a note that
# Plotly leaves itself.
READ = """() => {
    const shown = element => element.checkVisibility({visibilityProperty: true});
    const named = element => [...(element.closest('[class*="st-key-"]')?.classList ?? [])]
        .find(name => name.startsWith('st-key-'))?.slice(7) ?? '';
    const all = (selector, read) => [...document.querySelectorAll(selector)].filter(shown).map(read);
    const value = box => {
        if (box.type === 'checkbox' || box.type === 'radio') return box.checked;
        return box.getAttribute('aria-valuetext') ?? box.value;
    };
    // Labels and lines of an axis do not lie on one another, so that their order in the drawing shows nothing.
    const drawn = node => {
        if (node.nodeType !== Node.ELEMENT_NODE) return node.data;
        const inside = [...node.childNodes].map(child => [child.textContent, drawn(child)]);
        if (/role-(axis|legend)/.test(node.getAttribute('class')))
            inside.sort(([left, one], [right, other]) => left.localeCompare(right) || ahead(one, other));
        return node.cloneNode(false).outerHTML + inside.map(([, markup]) => markup).join('');
    };
    const ahead = (one, other) => {
        const [left, right] = [one, other].map(markup => (markup.match(/-?\\d+(\\.\\d+)?/g) ?? []).map(Number));
        const at = left.findIndex((number, i) => number !== right[i]);
        return at < 0 ? 0 : left[at] - (right[at] ?? 0);
    };
    const written = main => {
        const said = [], walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
        const drawings = 'svg, canvas, .plot3d-scene';
        for (let node; (node = walker.nextNode());)
            if (node.data.trim() && shown(node.parentElement) && !node.parentElement.closest(drawings))
                said.push(node.data.trim());
        return said.join('\\n');
    };
    return {
        charts: all('[data-testid=stVegaLiteChart]', chart => [
            chart.querySelector('[role=graphics-document]')?.ariaLabel.slice(0, 40) ?? '',
            [...chart.querySelectorAll('svg.marks')].map(drawn).join('')]),
        scenes: all('.plot3d-scene', scene => {
            const {camera, uirevision, ...space} = scene.layout?.scene ?? {};
            const {autosize, ...layout} = scene.layout ?? {};
            return [named(scene), JSON.stringify([scene.data, {...layout, scene: space}])];
        }),
        tables: all('[data-testid=stDataFrame]', table => [named(table), [...table.querySelectorAll('tr')]
            .map(row => [...row.children].map(cell => cell.textContent).join(' | ')).join('\\n')]),
        controls: all('.stApp input, .stApp textarea, .stApp [role=slider]', box =>
            [named(box), `${value(box)}${box.disabled ? ', off' : ''}`]),
        chosen: all('.stApp [class*="st-key-"] :is([aria-checked], [aria-selected], summary)', box =>
            [named(box), `${box.textContent}: ${box.ariaChecked ?? box.ariaSelected ?? box.parentElement.open}`]),
        text: all('[data-testid=stMain]', main => ['', written(main)]),
    };
}"""
# What differs between two visits, and what is put in its place.
VARIES = [
    (re.compile(r' (id|aria-labelledby|data-found)="[^"]*"'), ""),  # names that Vega, or a test, numbers through
    # What Vega says of an axis to those who cannot see it is a change late; each chart has words of its own below it.
    (re.compile(r'(aria-roledescription="axis") aria-label="[^"]*"'), r"\1"),
    (re.compile(r"url\(#?[^)]*\)"), "url()"),
    (re.compile(r"\d+(\.\d+)? (µs|ms|s)\b"), "… s"),  # how long a rule took; it is kept, but not for ever
]
COUNTED = re.compile(r"_\d+$")  # of a table that was opened so many times
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
# Pixels between two drawings that count as one: Vega makes room for labels from where they were before. The narrowest
# bar is several times as wide.
CLOSE = 3


def read(page):
    """What is on screen, by kind: (what it is called, what it shows)."""
    kinds = page.evaluate(READ)
    return {kind: [(COUNTED.sub("", name), _still(shown)) for name, shown in found] for kind, found in kinds.items()}


def _still(shown):
    """Without what varies."""
    for pattern, other in VARIES:
        shown = pattern.sub(other, shown)
    return shown


def differences(one, other):
    """In what two readings differ, a line for each."""
    said = []
    for kind in one:
        names = [[name for name, _ in reading[kind]] for reading in (one, other)]
        if names[0] != names[1]:
            said.append(f"{kind}: {_apart(*names)}")
            continue
        for (name, left), (_, right) in zip(one[kind], other[kind], strict=True):
            if kind == "charts" and NUMBER.sub("", left) == NUMBER.sub("", right):
                if (far := _far(left, right)) > CLOSE:
                    said.append(f"{kind} {name}: marks are up to {far:.1f} pixels elsewhere")
            elif left != right:
                said.append(f"{kind} {name}: {_apart(_parts(left), _parts(right))}")
    return said


def _far(left, right):
    """How far marks of two drawings with the same marks are from one another [pixels]."""
    places = [map(float, NUMBER.findall(drawing)) for drawing in (left, right)]
    return max((abs(one - other) for one, other in zip(*places, strict=True)), default=0)


def _parts(shown):
    return re.split(r"(?=<)|\n|(?<=,)(?=[\"\[{])", shown)


def _apart(left, right, most=8):
    lines = [line[:400] for line in difflib.unified_diff(left, right, "now", "fresh", lineterm="", n=0)]
    return "\n    ".join(["", *lines[2 : 2 + most]])
