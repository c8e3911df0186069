// A figure over the day as a small line, in memory that does not grow.
//
//   const history = new History();  history.take(time_ns, value);
//   const line = curve(root);       line.show(history.points)
//
// At POINTS_MAX points every second one goes and the step doubles, so a morning and a week take the
// same room. Worst case: a spike shorter than a step is kept only if it falls on one.

const POINTS_MAX = 480;
const STEP_MS = 500;
const NEAR = 0.2;
const SPACE = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 40;

export class History {
  constructor() {
    this.points = [];
    this.stepMs = STEP_MS;
  }

  take(timeNs, value) {
    if (value === null || value === undefined) return;
    const ms = timeNs / 1e6;
    const last = this.points[this.points.length - 1];
    if (last && ms - last[0] < this.stepMs) {
      last[1] = value; // its last word counts
      return;
    }
    this.points.push([ms, value]);
    if (this.points.length < POINTS_MAX) return;
    this.points = this.points.filter((_, n) => n % 2 === 0);
    this.stepMs *= 2;
  }
}

export function curve(root, label) {
  const svg = root.appendChild(document.createElementNS(SPACE, "svg"));
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "hft-curve");
  svg.setAttribute("role", "img");
  const [zero, area, line] = ["hft-zero", "hft-area", "hft-line"].map((name) => {
    const path = svg.appendChild(document.createElementNS(SPACE, "path"));
    path.setAttribute("class", name);
    return path;
  });
  const title = svg.appendChild(document.createElementNS(SPACE, "title"));
  return {
    show(points) {
      svg.toggleAttribute("hidden", points.length < 2);
      if (points.length < 2) return;
      const first = points[0][0];
      const width = Math.max(1, points[points.length - 1][0] - first);
      let [low, high] = [points[0][1], points[0][1]];
      for (const [, value] of points) [low, high] = [Math.min(low, value), Math.max(high, value)];
      // Zero is in the picture unless the curve would be flat by it.
      if (high - low > NEAR * Math.max(Math.abs(low), Math.abs(high))) {
        [low, high] = [Math.min(low, 0), Math.max(high, 0)];
      }
      const tall = high - low || 1;
      const x = (ms) => ((ms - first) / width) * WIDTH;
      const y = (value) => 2 + (1 - (value - low) / tall) * (HEIGHT - 4);
      const drawn = points.map(([ms, value]) => `${x(ms).toFixed(1)} ${y(value).toFixed(1)}`);
      const base = Math.min(HEIGHT, Math.max(0, y(0))).toFixed(1);
      line.setAttribute("d", `M${drawn.join("L")}`);
      area.setAttribute("d", `M0 ${base}L${drawn.join("L")}L${WIDTH} ${base}Z`);
      zero.setAttribute("d", `M0 ${base}H${WIDTH}`);
      const said = `${label} over ${Math.round(width / 1000)} s, ${low.toFixed(
        2)} to ${high.toFixed(2)}`;
      if (title.textContent !== said) title.textContent = said;
    },
  };
}
