"""A 3-D picture that keeps its view: a Plotly figure, drawn and updated by `Plotly.react` in the browser.

`st.plotly_chart` builds the picture anew at every change, which loses the camera and takes 3.6 times as long.
The script comes from static/ (no other host is asked); colours follow the theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

BUNDLE = "/app/static/plotly-gl3d.min.js"

HTML = """
<div class="plot3d">
  <div class="plot3d-views" role="group" aria-label="Point of view"></div>
  <div class="plot3d-scene" role="group" tabindex="0"></div>
</div>
"""

CSS = """
.plot3d-scene { width: 100%; height: var(--plot3d-height, 480px); }
.plot3d-scene, .plot3d-scene * { touch-action: pan-y; }
.plot3d-views { display: flex; flex-wrap: wrap; gap: 0.5rem; margin-bottom: 0.25rem; }
.plot3d-views button {
  padding: 0.25rem 0.75rem; cursor: pointer; font: inherit; font-size: 0.875rem;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
.plot3d-views button:hover, .plot3d-views button:focus-visible {
  color: var(--st-primary-color); border-color: var(--st-primary-color);
}
@media (max-width: 640px) { .plot3d-scene { height: min(var(--plot3d-height, 480px), 380px); } }
"""

JS = """
let loading;
function load(url) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { loading = undefined; reject(new Error(url)); };
    document.head.append(script);
  });
  return loading;
}

function dress(layout, host) {
  const style = getComputedStyle(host);
  const colour = (name) => style.getPropertyValue(name).trim();
  const text = colour("--st-text-color");
  layout.font = { ...layout.font, color: text, family: colour("--st-font") };
  layout.paper_bgcolor = "rgba(0,0,0,0)";
  for (const axis of [layout.scene.xaxis, layout.scene.yaxis, layout.scene.zaxis]) axis.color = text;
}

// Drag or use the arrow keys to turn, + and - to come nearer. Not Plotly's own dragging: it runs on whenever a frame
// is late, and on a phone it keeps the page from scrolling.
function steer(scene, relayout) {
  let held = null;
  let due = null;
  const turn = (right, down, nearer = 1) => {
    if (due) {
      due = [due[0] + right, due[1] + down, due[2] * nearer];
      return;
    }
    due = [right, down, nearer];
    requestAnimationFrame(() => {
      const { eye, center, up } = scene.layout.scene.camera;
      const [x, y, z] = [eye.x - center.x, eye.y - center.y, eye.z - center.z];
      const far = Math.hypot(x, y, z) / due[2];
      const around = Math.atan2(y, x) - due[0];
      const above = Math.min(1.55, Math.max(-1.55, Math.asin(z / Math.hypot(x, y, z)) + due[1]));
      due = null;
      const level = far * Math.cos(above);
      relayout({ center, up, eye: {
        x: center.x + level * Math.cos(around), y: center.y + level * Math.sin(around),
        z: center.z + far * Math.sin(above) } });
    });
  };
  scene.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest(".modebar")) return;
    held = event;
    scene.setPointerCapture(event.pointerId);
  });
  scene.addEventListener("pointermove", (event) => {
    if (!held) return;
    turn((event.clientX - held.clientX) / 150, (event.clientY - held.clientY) / 150);
    held = event;
  });
  for (const end of ["pointerup", "pointercancel"]) scene.addEventListener(end, () => { held = null; });
  const keys = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1],
    "+": [0, 0, 1.1], "-": [0, 0, 1 / 1.1] };
  scene.addEventListener("keydown", (event) => {
    if (!(event.key in keys)) return;
    event.preventDefault();
    turn(...keys[event.key]);
  });
}

export default async function ({ data, parentElement }) {
  const host = parentElement.querySelector(".plot3d");
  const views = host.querySelector(".plot3d-views");
  const scene = host.querySelector(".plot3d-scene");
  host.style.setProperty("--plot3d-height", `${data.height}px`);
  scene.setAttribute("aria-label", `${data.alt} The arrow keys turn it, plus and minus come nearer and go back.`);
  let Plotly;
  try {
    Plotly = await load(data.bundle);
  } catch {
    scene.textContent = "The 3-D picture could not be loaded; the charts below show the same cuts.";
    return;
  }
  const figure = structuredClone(data.figure);
  // A narrow screen needs a camera further away, or the axes' titles are cut off.
  const away = (eye) => Object.fromEntries(
    Object.entries(eye).map(([axis, place]) => [axis, place * (scene.clientWidth < 480 ? 1.35 : 1)]));
  const camera = figure.layout.scene.camera;
  camera.eye = away(camera.eye);
  camera.up = { x: 0, y: 0, z: 1 };
  const look = (eye) => ({ ...camera, eye: away(eye) });
  // The visitor's own view outlives every change of the data.
  figure.layout.scene.camera = scene.layout?.scene?.camera ?? camera;
  figure.layout.scene.dragmode = false;
  dress(figure.layout, host);
  await Plotly.react(scene, figure.data, figure.layout, {
    // By itself Plotly draws four times the pixels that a plain screen has.
    plotGlPixelRatio: window.devicePixelRatio,
    displaylogo: false, showSendToCloud: false, scrollZoom: false, modeBarButtonsToRemove: data.without,
  });
  const names = Object.keys(data.views);
  if (views.dataset.names !== names.join()) {
    views.dataset.names = names.join();
    views.replaceChildren(...names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.onclick = () => Plotly.relayout(scene, { "scene.camera": look(data.views[name]) });
      return button;
    }));
  }
  if (!scene.observer) {
    steer(scene, (camera) => Plotly.relayout(scene, { "scene.camera": camera }));
    scene.observer = new ResizeObserver(() => scene.clientWidth && Plotly.Plots.resize(scene));
    scene.observer.observe(scene);
  }
  return () => {
    scene.observer?.disconnect();
    Plotly.purge(scene);
  };
}
"""

_mount = st.components.v2.component(
    "fairsynergy_plot3d",
    html=HTML,
    css=CSS,
    js=JS,
    isolate_styles=False,  # Plotly adds its style sheet to the document, where a shadow root would not see it
)

# Buttons of Plotly's toolbar for what is done otherwise here.
WITHOUT = [
    "zoom3d",
    "pan3d",
    "tableRotation",
    "orbitRotation",
    "resetCameraDefault3d",
    "resetCameraLastSave3d",
    "hoverClosest3d",
]


def plot3d(
    figure: Mapping[str, Any],
    *,
    key: str,
    alt: str,
    views: Mapping[str, tuple[float, float, float]],
    height: int = 480,
) -> None:
    """Draw a figure with one 3-D scene, under buttons that choose the point of view.

    Parameters
    ----------
    figure : mapping
        Traces and layout, as `data` and `layout` of Plotly's JSON; the browser adds the theme's colours.
    key : str
        Names the picture on the page; the same key keeps the camera.
    alt : str
        What the picture shows, for those who cannot see it.
    views : mapping of str to (x, y, z)
        Name of a button to the camera's place, in units of the scene's size.
    height : int
        On a wide screen [pixels].
    """
    base = st.get_option("server.baseUrlPath").strip("/")
    _mount(
        key=key,
        data={
            "figure": dict(figure),
            "bundle": f"/{base}{BUNDLE}" if base else BUNDLE,
            "alt": alt,
            "views": {name: dict(zip("xyz", eye, strict=True)) for name, eye in views.items()},
            "height": height,
            "without": WITHOUT,
        },
    )
