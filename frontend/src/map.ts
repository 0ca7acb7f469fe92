// The map: the hub's own counties as ground; sites, projects and chargers as marks. No tiles, no glyphs.
import {
  Map as Globe,
  NavigationControl,
  Popup,
  setWorkerUrl,
  type ExpressionSpecification,
  type MapLayerMouseEvent,
  type StyleSpecification,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

setWorkerUrl(worker);

const LAYERS = ["sites", "projects", "chargers"] as const;
type Layer = (typeof LAYERS)[number];
interface Shown {
  map?: Globe;
  ready?: boolean;
}

const holder = document.getElementById("hub-map");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** The value of a CSS colour of the page: paint of the map cannot read variables. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888888";
}

/** Colour by a property whose values name CSS variables. */
function byKey(keys: string[]): ExpressionSpecification | string {
  if (!keys.length) return colour("--ink-2");
  const pairs = keys.flatMap((key) => [key, colour(`--c-${key}`)]);
  return ["match", ["get", "colour"], ...pairs, colour("--ink-2")] as unknown as ExpressionSpecification;
}

function diamond(size: number, fill: string, edge: string): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  const half = size / 2;
  pen.beginPath();
  pen.moveTo(half, 2);
  pen.lineTo(size - 2, half);
  pen.lineTo(half, size - 2);
  pen.lineTo(2, half);
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
  pen.lineWidth = 3;
  pen.strokeStyle = edge;
  pen.stroke();
  return pen.getImageData(0, 0, size, size);
}

function style(groups: string[]): StyleSpecification {
  const data = (name: string) => ({ type: "geojson" as const, data: new URL(`/map/${name}.geojson`, location.href).href });
  return {
    version: 8,
    sources: { counties: data("counties"), sites: data("sites"), projects: data("projects"), chargers: data("chargers") },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": colour("--sea") } },
      { id: "land", type: "fill", source: "counties", paint: { "fill-color": colour("--land") } },
      { id: "county-lines", type: "line", source: "counties", paint: { "line-color": colour("--line-2"), "line-width": 0.8 } },
      {
        id: "sites",
        type: "circle",
        source: "sites",
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, ["get", "radius"], 10, ["*", 2.5, ["get", "radius"]]],
          "circle-color": byKey(groups),
          "circle-opacity": 0.72,
          "circle-stroke-color": colour("--ink"),
          "circle-stroke-width": 0.6,
        },
      },
      {
        id: "chargers",
        type: "circle",
        source: "chargers",
        paint: {
          "circle-radius": ["interpolate", ["linear"], ["zoom"], 4, 3, 10, 7],
          "circle-color": colour("--c-phase-1"),
          "circle-stroke-color": colour("--ink"),
          "circle-stroke-width": 0.8,
        },
      },
      {
        id: "projects",
        type: "symbol",
        source: "projects",
        layout: { "icon-image": ["concat", "stage-", ["get", "stage"]], "icon-allow-overlap": true, "icon-size": ["interpolate", ["linear"], ["zoom"], 4, 0.45, 10, 0.9] },
      },
    ],
  };
}

/** What a click shows: text only, with a link to the project's own page. */
function about(event: MapLayerMouseEvent): HTMLElement {
  const box = document.createElement("div");
  const known = event.features?.[0]?.properties ?? {};
  const head = document.createElement("strong");
  head.textContent = String(known.name ?? "");
  box.append(head);
  for (const line of String(known.about ?? "").split("\n").filter(Boolean)) {
    const part = document.createElement("div");
    part.textContent = line;
    box.append(part);
  }
  if (known.page) {
    const link = document.createElement("a");
    link.href = String(known.page);
    link.textContent = "The project's page";
    box.append(link);
  }
  return box;
}

function paint(map: Globe, stages: string[]): void {
  for (const stage of stages) {
    const image = diamond(32, colour(`--c-stage-${stage.replaceAll("_", "-")}`), colour("--ink"));
    const name = `stage-${stage}`;
    if (map.hasImage(name)) map.updateImage(name, image);
    else map.addImage(name, image, { pixelRatio: 2 });
  }
}

function switches(map: Globe): void {
  document.querySelectorAll<HTMLInputElement>("input[data-layer]").forEach((box) => {
    box.addEventListener("change", () => {
      map.setLayoutProperty(box.dataset.layer as Layer, "visibility", box.checked ? "visible" : "none");
    });
  });
}

function start(box: HTMLElement): void {
  const list = (name: string) => (box.dataset[name] ?? "").split(" ").filter(Boolean);
  const [west, south, east, north] = list("bounds").map(Number);
  const groups = list("groups");
  const stages = list("stages");
  const map = new Globe({
    container: box,
    style: style(groups),
    bounds: [west, south, east, north],
    fitBoundsOptions: { padding: 16 },
    attributionControl: false,
    cooperativeGestures: true,
    dragRotate: false,
    pitchWithRotate: false,
  });
  const shown: Shown = { map };
  (window as unknown as { cleanhub: Shown }).cleanhub = shown;
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.getCanvas().setAttribute("aria-label", "Map; the tables after it hold the same places");
  map.on("style.load", () => paint(map, stages));
  map.once("idle", () => {
    shown.ready = true;
    box.dataset.drawn = "yes";
  });
  for (const layer of LAYERS) {
    map.on("click", layer, (event) => {
      new Popup({ maxWidth: "20rem" }).setLngLat(event.lngLat).setDOMContent(about(event)).addTo(map);
    });
    map.on("mouseenter", layer, () => (map.getCanvas().style.cursor = "pointer"));
    map.on("mouseleave", layer, () => (map.getCanvas().style.cursor = ""));
  }
  dark.addEventListener("change", () => {
    map.setStyle(style(groups), { diff: false });
  });
  switches(map);
}

if (holder) {
  try {
    start(holder);
  } catch {
    holder.textContent = "This browser cannot draw the map (it needs WebGL). The tables below hold the same places.";
  }
}
