/* Power iteration on a 2x2 matrix, round by round: the circle, the ellipse, the vector, the error. */
"use strict";

Touch.register("power", (data, place) => {
  const { make, slider } = Touch;
  const { matrix, rounds, sigma } = data; // rounds: [{u: [x, y], sigma}, ...]
  const SIZE = 300;
  const scale = SIZE / 2 / (1.15 * sigma);
  const at = ([x, y]) => [SIZE / 2 + scale * x, SIZE / 2 - scale * y];
  const times = ([x, y]) => matrix.map(([a, b]) => a * x + b * y);

  const circle = Array.from({ length: 121 }, (_, k) => [Math.cos((k * Math.PI) / 60), Math.sin((k * Math.PI) / 60)]);
  const curve = (points) => "M" + points.map((p) => at(p).map((x) => x.toFixed(1)).join(" ")).join("L");
  const line = (colour) => make("line", { x1: SIZE / 2, y1: SIZE / 2, stroke: colour, "stroke-width": 2.5 });
  const [turned, stretched] = [line("#0072b2"), line("#d55e00")];
  const trail = make("path", { fill: "none", stroke: "#0072b2", "stroke-dasharray": "2 3" });
  const picture = make(
    "svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, width: SIZE, role: "img", "aria-label": "" },
    make("path", { d: curve(circle), fill: "none", stroke: "#0072b2", opacity: 0.6 }),
    make("path", { d: curve(circle.map(times)), fill: "none", stroke: "#d55e00", opacity: 0.6 }),
    trail, turned, stretched
  );
  const said = make("p", { class: "said", "aria-live": "polite" });

  function show(k) {
    const { u, sigma: estimate } = rounds[k];
    const ends = [[turned, u], [stretched, times(u)]];
    for (const [vector, end] of ends) {
      const [x, y] = at(end);
      vector.setAttribute("x2", x);
      vector.setAttribute("y2", y);
    }
    trail.setAttribute("d", curve(rounds.slice(0, k + 1).map((round) => round.u)));
    const low = 100 * (1 - estimate / sigma);
    said.textContent = `After ${k} rounds: the vector (blue) is stretched to ${estimate.toFixed(3)} (orange); ` +
      `sigma is ${sigma.toFixed(3)}, so this is ${low < 0.01 ? "less than 0.01" : low.toPrecision(2)} % too low.`;
    picture.setAttribute("aria-label", `circle, its image the ellipse, and the vector. ${said.textContent}`);
  }

  const round = slider("rounds", { min: 0, max: rounds.length - 1, step: 1, value: 0 }, show);
  place.append(picture, round.row, said);
  show(0);
});
