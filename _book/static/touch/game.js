/* The game of two players: the path for a ratio of D's rate to G's. */
"use strict";

Touch.register("game", (data, place) => {
  const { make, slider } = Touch;
  const { paths } = data; // [{ratio, path: [[theta, psi], ...], turns}, ...]
  const SIZE = 300;
  const extent = 1.15 * Math.max(...paths.flatMap(({ path }) => path.flat().map(Math.abs)));
  const at = ([x, y]) => [(SIZE / 2) * (1 + x / extent), (SIZE / 2) * (1 - y / extent)];
  const axis = (ends) => make("line", { ...ends, stroke: "currentColor", opacity: 0.3 });
  const way = make("path", { fill: "none", stroke: "#0072b2", "stroke-width": 2 });
  const start = make("circle", { r: 4, fill: "#d55e00" });
  const picture = make(
    "svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, width: SIZE, role: "img", "aria-label": "" },
    axis({ x1: 0, x2: SIZE, y1: SIZE / 2, y2: SIZE / 2 }),
    axis({ x1: SIZE / 2, x2: SIZE / 2, y1: 0, y2: SIZE }),
    make("text", { x: SIZE - 30, y: SIZE / 2 + 16 }, "theta"),
    make("text", { x: SIZE / 2 + 6, y: 12 }, "psi"),
    way, start
  );
  const said = make("p", { class: "said", "aria-live": "polite" });

  function show(k) {
    const { ratio, path, turns } = paths[k];
    way.setAttribute("d", "M" + path.map((p) => at(p).map((x) => x.toFixed(1)).join(" ")).join("L"));
    const [x, y] = at(path[0]);
    start.setAttribute("cx", x);
    start.setAttribute("cy", y);
    const left = Math.hypot(...path[path.length - 1]);
    said.textContent = `D's rate is ${ratio} times G's: the pair ${turns ? "circles" : "does not circle"}, and after ` +
      `${path.length - 1} steps it is ${left < 0.001 ? "less than 0.001" : left.toPrecision(2)} from the equilibrium.`;
    picture.setAttribute("aria-label", `path of theta and psi. ${said.textContent}`);
  }

  const first = paths.findIndex(({ ratio }) => ratio >= 1);
  const ratio = slider(
    "ratio of the rates", { min: 0, max: paths.length - 1, step: 1, value: first, show: (k) => `${paths[k].ratio}` }, show
  );
  place.append(picture, ratio.row, said);
  show(first);
});
