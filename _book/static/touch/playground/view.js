/* What a pane shows: D's surface, the points, the arrows, the places; and curves over time. */
"use strict";

window.View = (() => {
  const { make } = Touch;
  const REAL = [213, 94, 0]; // Okabe and Ito's vermillion and blue, as in the book's figures
  const FAKE = [0, 114, 178];
  const DARK = { real: [255, 158, 84], fake: [104, 190, 255] };
  const SHOWN = 256; // points of each kind
  const ARROWS = 48;
  const css = (rgb, alpha = 1) => `rgba(${rgb.join(",")},${alpha})`;

  /* The page's colours as they are now, light or dark. */
  function colours(element) {
    const style = getComputedStyle(element);
    const dark = document.documentElement.dataset.theme === "dark";
    return {
      dark, ink: style.getPropertyValue("--pst-color-text-base").trim() || "#000",
      ground: dark ? [24, 26, 31] : [255, 255, 255],
      real: dark ? DARK.real : REAL, fake: dark ? DARK.fake : FAKE,
    };
  }

  /* A canvas's context, its pixels fitted to its size on the screen; units are CSS pixels. */
  function fitted(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth || 300, canvas.clientHeight || 300];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { context, width, height };
  }

  /* D's opinion from -1 (made by G) to 1 (real): of scores around 0, or, where 0 means nothing, around
   * the middle of what the surface has.
   */
  function opinions(scores, loss) {
    if (loss !== "wasserstein") return scores.map((s) => Math.tanh(s));
    const [low, high] = [scores.reduce((a, b) => Math.min(a, b)), scores.reduce((a, b) => Math.max(a, b))];
    return scores.map((s) => (high > low ? (2 * (s - low)) / (high - low) - 1 : 0));
  }

  const patch = make("canvas", { width: Run.SIDE, height: Run.SIDE });
  function drawSurface({ context, width, height }, run, scores, { ground, real, fake, dark }) {
    const image = new ImageData(Run.SIDE, Run.SIDE);
    opinions(scores, run.settings.loss).forEach((opinion, k) => {
      const towards = opinion > 0 ? real : fake;
      const share = (dark ? 0.5 : 0.45) * Math.abs(opinion);
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = ground[c] + share * (towards[c] - ground[c]);
      image.data[4 * k + 3] = 255;
    });
    patch.getContext("2d").putImageData(image, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(patch, 0, 0, width, height);
  }

  function dots(context, points, at, colour, rim, radius) {
    context.fillStyle = colour;
    context.strokeStyle = rim;
    context.lineWidth = 0.8;
    for (let k = 0; k < 2 * SHOWN; k += 2) {
      const [x, y] = at(points[k], points[k + 1]);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  /* From some of the fakes the way that G's loss sends them, as long as the push is strong. */
  function drawArrows(context, run, fakes, at, ink) {
    const points = fakes.subarray(0, 2 * ARROWS);
    const { slope } = run.gan.push(points, ARROWS);
    context.strokeStyle = ink;
    context.lineWidth = 1.2;
    for (let k = 0; k < 2 * ARROWS; k += 2) {
      const push = Math.hypot(slope[k], slope[k + 1]);
      if (!(push > 1e-3)) continue;
      const length = Math.min(0.35, 0.2 * push) / push;
      const [x, y] = at(points[k], points[k + 1]);
      const [u, v] = at(points[k] - length * slope[k], points[k + 1] - length * slope[k + 1]);
      const angle = Math.atan2(v - y, u - x);
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(u, v);
      for (const side of [-0.5, 0.5]) {
        context.moveTo(u, v);
        context.lineTo(u - 5 * Math.cos(angle + side), v - 5 * Math.sin(angle + side));
      }
      context.stroke();
    }
  }

  function drawPlaces(context, run, found, at, ink) {
    const [x0] = at(0, 0);
    const radius = Math.min(at(run.world.reach, 0)[0] - x0, 26);
    run.world.centres.forEach(([x, y], k) => {
      context.beginPath();
      context.setLineDash(found[k] ? [] : [3, 4]);
      context.lineWidth = found[k] ? 2 : 1;
      context.strokeStyle = ink;
      context.arc(...at(x, y), radius, 0, 2 * Math.PI);
      context.stroke();
    });
    context.setLineDash([]);
  }

  /* The whole picture of a run: `scores` on its grid, what a `peek` saw, and `cursor`, where the keyboard
   * points, if it does.
   */
  function plane(canvas, run, scores, now, cursor) {
    const { context, width, height } = fitted(canvas);
    const theme = colours(canvas);
    const at = (x, y) => [(width / 2) * (1 + x / Plane.EDGE), (height / 2) * (1 - y / Plane.EDGE)];
    drawSurface({ context, width, height }, run, scores, theme);
    drawPlaces(context, run, now.found, at, theme.ink);
    const rim = theme.dark ? "rgba(0,0,0,0.6)" : "rgba(255,255,255,0.9)";
    dots(context, run.watch.real, at, css(theme.real), rim, 2.4);
    if (now.sound) {
      dots(context, now.points, at, css(theme.fake), rim, 2.8);
      drawArrows(context, run, now.points, at, theme.ink);
    }
    if (!cursor) return;
    const [x, y] = at(...cursor);
    context.strokeStyle = theme.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x - 9, y);
    context.lineTo(x + 9, y);
    context.moveTo(x, y - 9);
    context.lineTo(x, y + 9);
    context.stroke();
  }

  /* Curves over the steps so far. curves: [{values, colour: "real", "fake" or "ink", dashed}]. */
  function chart(canvas, steps, curves, { low = null, high = null, digits = null } = {}) {
    const { context, width, height } = fitted(canvas);
    const theme = colours(canvas);
    const all = curves.flatMap(({ values }) => values.filter(Number.isFinite));
    const [least, most] = [low ?? Math.min(...all, 0), high ?? Math.max(...all, 1e-9)];
    const left = 30;
    const x = (k) => left + ((width - left - 4) * steps[k]) / (steps.at(-1) || 1);
    const y = (value) => height - 4 - ((height - 8) * (value - least)) / (most - least || 1);
    context.fillStyle = theme.ink;
    context.font = "10px sans-serif";
    context.textAlign = "right";
    const shown = digits ?? (most - least >= 5 ? 0 : most - least >= 0.5 ? 1 : 2);
    if (all.length || high !== null) { // else there is no scale yet
      context.fillText(most.toFixed(shown), left - 4, 10, left - 4);
      context.fillText(least.toFixed(shown), left - 4, height - 2, left - 4);
    }
    context.strokeStyle = theme.ink;
    context.globalAlpha = 0.25;
    context.strokeRect(left, 4, width - left - 4, height - 8);
    context.globalAlpha = 1;
    for (const { values, colour, dashed } of curves) {
      context.strokeStyle = colour === "ink" ? theme.ink : css(theme[colour]);
      context.lineWidth = 1.6;
      context.setLineDash(dashed ? [4, 4] : []);
      context.beginPath();
      values.forEach((value, k) => Number.isFinite(value) && context.lineTo(x(k), y(value)));
      context.stroke();
    }
    context.setLineDash([]);
  }

  return { plane, chart };
})();
