/* One pane: the plane with a training in it, its numbers, its curves. */
"use strict";

window.Pane = (() => {
  const { make } = Touch;

  /* A number short enough to read while it changes. */
  const short = (x) => (!Number.isFinite(x) ? "none" : Math.abs(x) >= 100 ? x.toFixed(0) : x.toPrecision(2).replace(/e\+?/, "e"));

  class Pane {
    /* `title` heads the pane; `placed` is told of points that the reader puts, by hand or by keys. */
    constructor(placed) {
      this.placed = placed;
      this.cursor = null;
      this.title = make("p", { class: "pane-title" });
      this.canvas = make("canvas", { class: "plane", role: "img", "aria-label": "" });
      this.numbers = Object.fromEntries(["places", "distance", "losses", "slope"].map((name) => [name, make("dd")]));
      const rows = { places: "places found", distance: "distance to the truth", losses: "losses of D, G", slope: "steepest slope of D" };
      const list = make("dl", {}, ...Object.entries(rows).flatMap(([name, label]) => [make("dt", {}, label), this.numbers[name]]));
      this.charts = Object.fromEntries(["losses", "places", "distance"].map((name) =>
        [name, make("canvas", { class: "chart", role: "img", "aria-label": "" })]));
      const heads = { losses: "losses: D orange, G blue", places: "places found", distance: "distance to the truth; dashed: of real points" };
      const charts = Object.entries(heads).map(([name, head]) => make("div", {}, make("p", { class: "chart-title" }, head), this.charts[name]));
      this.element = make("div", { class: "pane" }, make("div", { class: "seen" }, this.title, this.canvas),
        make("div", { class: "told" }, list, ...charts));
      this.listen();
    }

    /* A fresh training of these settings. */
    begin(settings, points, title) {
      this.run = new Run.Run(settings, points);
      this.title.textContent = title;
      const editable = settings.data === "own";
      this.canvas.setAttribute("role", editable ? "application" : "img");
      if (editable) this.canvas.setAttribute("tabindex", "0");
      else this.canvas.removeAttribute("tabindex");
      this.draw();
    }

    listen() {
      const own = () => this.run.settings.data === "own";
      this.canvas.addEventListener("click", (event) => {
        if (!own()) return;
        const box = this.canvas.getBoundingClientRect();
        const share = (x, size) => Plane.EDGE * ((2 * x) / size - 1);
        this.placed([share(event.clientX - box.left, box.width), -share(event.clientY - box.top, box.height)]);
      });
      this.canvas.addEventListener("blur", () => { this.cursor = null; this.draw(); });
      this.canvas.addEventListener("keydown", (event) => {
        const way = { ArrowUp: [0, 0.1], ArrowDown: [0, -0.1], ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0] }[event.key];
        if (!own() || !(way || event.key === "Enter")) return;
        event.preventDefault();
        const cursor = this.cursor ?? [0, 0];
        const inside = (x) => Math.max(-1.5, Math.min(1.5, x));
        this.cursor = way ? cursor.map((x, k) => inside(x + way[k])) : cursor;
        if (!way) this.placed([...this.cursor]);
        this.draw();
      });
    }

    draw() {
      const { run } = this;
      const { scores, slope } = run.surface();
      const now = run.watch.peek();
      View.plane(this.canvas, run, scores, now, this.cursor);
      const { log, world } = run;
      const found = now.found.filter(Boolean).length;
      const sigmas = run.gan.discriminator.sigmas();
      const bound = sigmas.reduce((a, b) => a * b, 1);
      const places = world.centres.length;
      this.numbers.places.textContent = `${found} of ${places}; lost again ${run.watch.lost} times`;
      this.numbers.distance.textContent = `${short(now.distance)} (two real samples: ${short(run.watch.floor)})`;
      this.numbers.losses.textContent = run.last ? `${short(run.last.dLoss)}, ${short(run.last.gLoss)}` : "not yet";
      this.numbers.slope.textContent = `${short(slope)}; layers’ σ ${sigmas.map(short).join(" × ")} = ${short(bound)}`;
      const steps = log.map(({ step }) => step);
      const of = (name) => log.map((look) => look[name]);
      View.chart(this.charts.losses, steps, [{ values: of("dLoss"), colour: "real" }, { values: of("gLoss"), colour: "fake" }]);
      View.chart(this.charts.places, steps, [{ values: of("found"), colour: "ink" }], { low: 0, high: places, digits: 0 });
      const floor = { values: log.map(() => run.watch.floor), colour: "ink", dashed: true };
      View.chart(this.charts.distance, steps, [{ values: of("distance"), colour: "fake" }, floor], { low: 0 });
      this.tell(found);
    }

    /* The pictures in words. */
    tell(found) {
      const { run } = this;
      const { log } = run;
      const broken = run.broken ? "The numbers have left all bounds. " : "";
      const keys = run.settings.data === "own" ? " Arrow keys move a cross, Enter puts a point there or takes it away." : "";
      this.canvas.setAttribute("aria-label", `${this.title.textContent}, step ${run.step}. ${broken}Real points orange, generated ` +
        `points blue, ${found} of ${run.world.centres.length} places found; ground orange where D says real, blue ` +
        `where it says generated.${keys}`);
      const ends = (name) => (log.length ? `from ${short(log[0][name])} to ${short(log.at(-1)[name])}` : "nothing yet");
      this.charts.losses.setAttribute("aria-label", `losses over steps: D ${ends("dLoss")}, G ${ends("gLoss")}`);
      this.charts.places.setAttribute("aria-label", `places found over steps: ${ends("found")}`);
      this.charts.distance.setAttribute("aria-label", `distance to the truth over steps: ${ends("distance")}`);
    }
  }

  return { Pane, short };
})();
