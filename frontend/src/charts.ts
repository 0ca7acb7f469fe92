// Draws the figures whose data stand in the page; a table with the same numbers is beside each.
import {
  areaY,
  axisX,
  axisY,
  barX,
  dot,
  gridX,
  gridY,
  lineY,
  link,
  plot,
  ruleX,
  ruleY,
  stackY,
  text,
} from "@observablehq/plot";

interface Bar {
  label: string;
  value: number;
  shown: string;
  colour: string;
}
interface Range {
  label: string;
  low: number | null;
  mid: number | null;
  high: number | null;
  done: boolean;
  shown: string;
  colour: string;
}
interface Point {
  year: number;
  series: string;
  value: number;
}
interface Series {
  name: string;
  colour: string;
}
interface Spread {
  year: number;
  low: number;
  mid: number;
  high: number;
}
type Figure =
  | { kind: "bars"; title: string; unit: string; bars: Bar[] }
  | { kind: "ranges"; title: string; unit: string; ranges: Range[]; now: number; end: number }
  | { kind: "areas"; title: string; unit: string; points: Point[]; series: Series[]; now: number; share: boolean }
  | { kind: "spread"; title: string; unit: string; points: Spread[]; colour: string; now: number };

const INK = "var(--ink)";
const SOFT = "var(--ink-2)";
const GRID = "var(--line-2)";

/** A number on an axis, the same for every reader. */
function tick(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

/** Whole years from `first` to `last` at steps that leave each label its room. */
function years(first: number, last: number, width: number): number[] {
  const most = Math.max(2, Math.round(width / 110));
  const step = [1, 2, 5, 10, 20].find((size) => (last - first) / size <= most) ?? 20;
  const begin = Math.ceil(first / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((last - begin) / step) + 1) }, (_, i) => begin + i * step);
}

/** The years that `points` span. */
function span(points: { year: number }[], width: number): number[] {
  const found = points.map((point) => point.year);
  return found.length ? years(Math.min(...found), Math.max(...found), width) : [];
}

/** Cuts a label to what fits into `pixels` at the size of the axis. */
function fitted(label: string, pixels: number): string {
  const most = Math.max(8, Math.floor(pixels / 6.6));
  return label.length > most ? label.slice(0, most - 1) + "…" : label;
}

function base(width: number) {
  return { width, style: { background: "none", color: "var(--ink)", fontSize: "12px", fontFamily: "var(--sans)" } };
}

function bars(figure: Extract<Figure, { kind: "bars" }>, width: number) {
  const left = Math.min(320, Math.round(width * 0.42));
  const order = figure.bars.map((_, i) => i);
  return plot({
    ...base(width),
    height: 34 + 26 * figure.bars.length,
    marginLeft: left,
    marginRight: 84,
    marginTop: 8,
    x: { label: figure.unit, axis: "bottom", ticks: Math.max(2, Math.round(width / 180)), tickFormat: tick },
    y: { domain: order, label: null, padding: 0.25 },
    marks: [
      gridX({ stroke: GRID }),
      axisY({ tickFormat: (i: number) => fitted(figure.bars[i].label, left), tickSize: 0 }),
      barX(figure.bars, { x: "value", y: (_: Bar, i: number) => i, fill: (d: Bar) => d.colour }),
      text(figure.bars, { x: (d: Bar) => Math.max(d.value, 0), y: (_: Bar, i: number) => i, text: "shown", textAnchor: "start", dx: 5, fill: INK }),
      ruleX([0], { stroke: INK }),
    ],
    color: { type: "identity" },
  });
}

function ranges(figure: Extract<Figure, { kind: "ranges" }>, width: number) {
  const left = Math.min(260, Math.round(width * 0.38));
  const known = figure.ranges.filter((d) => d.mid !== null);
  const place = (d: Range) => figure.ranges.indexOf(d);
  return plot({
    ...base(width),
    height: 40 + 26 * figure.ranges.length,
    marginLeft: left,
    marginRight: 60,
    marginTop: 8,
    x: { domain: [figure.now, figure.end], label: null, tickFormat: "d", ticks: years(figure.now, figure.end, width), clamp: true },
    y: { domain: figure.ranges.map((_, i) => i), label: null, padding: 0.4 },
    marks: [
      gridX({ stroke: GRID, ticks: years(figure.now, figure.end, width) }),
      axisY({ tickFormat: (i: number) => fitted(figure.ranges[i].label, left), tickSize: 0 }),
      axisX({ tickFormat: "d", ticks: years(figure.now, figure.end, width), label: null }),
      link(known, { x1: (d: Range) => d.low ?? d.mid, x2: (d: Range) => d.high ?? d.mid, y1: place, y2: place, stroke: (d: Range) => d.colour, strokeWidth: 5, strokeLinecap: "round", strokeOpacity: 0.55 }),
      dot(known, { x: "mid", y: place, fill: (d: Range) => d.colour, stroke: "var(--paper)", r: 5 }),
      text(figure.ranges, { x: figure.end, y: (_: Range, i: number) => i, text: "shown", textAnchor: "start", dx: 8, fill: INK }),
    ],
    color: { type: "identity" },
  });
}

function areas(figure: Extract<Figure, { kind: "areas" }>, width: number) {
  const order = figure.series.map((s) => s.name);
  return plot({
    ...base(width),
    height: Math.max(220, Math.min(360, width * 0.42)),
    marginLeft: 56,
    marginTop: 24,
    x: { tickFormat: "d", label: null, ticks: span(figure.points, width) },
    y: { label: figure.unit, tickFormat: figure.share ? "%" : tick, ticks: 5 },
    color: { domain: order, range: figure.series.map((s) => s.colour) },
    marks: [
      gridY({ stroke: GRID }),
      areaY(figure.points, stackY({ order }, { x: "year", y: "value", z: "series", fill: "series", stroke: "var(--paper)", strokeWidth: 0.5 })),
      ruleX([figure.now], { stroke: SOFT, strokeDasharray: "3,3" }),
      ruleY([0], { stroke: INK }),
    ],
  });
}

function spread(figure: Extract<Figure, { kind: "spread" }>, width: number) {
  return plot({
    ...base(width),
    height: Math.max(200, Math.min(300, width * 0.36)),
    marginLeft: 56,
    marginTop: 24,
    x: { tickFormat: "d", label: null, ticks: span(figure.points, width) },
    y: { label: figure.unit, tickFormat: tick, ticks: 5 },
    marks: [
      gridY({ stroke: GRID }),
      areaY(figure.points, { x: "year", y1: "low", y2: "high", fill: figure.colour, fillOpacity: 0.28 }),
      lineY(figure.points, { x: "year", y: "mid", stroke: figure.colour, strokeWidth: 2.2 }),
      ruleY([0], { stroke: INK }),
    ],
  });
}

function drawn(figure: Figure, width: number): Element {
  if (figure.kind === "bars") return bars(figure, width);
  if (figure.kind === "ranges") return ranges(figure, width);
  if (figure.kind === "areas") return areas(figure, width);
  return spread(figure, width);
}

/** One name for the whole drawing: groups inside may not carry labels without a role. */
function named(drawing: Element, title: string): Element {
  drawing.querySelectorAll("[aria-label],[aria-description]").forEach((part) => {
    part.removeAttribute("aria-label");
    part.removeAttribute("aria-description");
  });
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `${title}; the table after it holds the numbers`);
  return drawing;
}

document.querySelectorAll<HTMLElement>(".chart").forEach((holder) => {
  const source = holder.querySelector("script[type='application/json']");
  if (!source?.textContent) return;
  const figure = JSON.parse(source.textContent) as Figure;
  const canvas = document.createElement("div");
  holder.append(canvas);
  let last = 0;
  const draw = () => {
    const width = Math.floor(holder.clientWidth);
    if (width === last || width < 50) return;
    last = width;
    canvas.replaceChildren(named(drawn(figure, width), figure.title));
    holder.dataset.drawn = "yes";
  };
  new ResizeObserver(draw).observe(holder);
  draw();
});
