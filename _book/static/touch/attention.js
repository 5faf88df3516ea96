/* Where a place of the face looks; the map cut between the eyes; gamma; faces counted by the judge. */
"use strict";

Touch.register("attention", async (data, place) => {
  await Network.start();
  const { make, slider, button, choice, canvas, paint } = Touch;
  const { left, right, down } = data; // (row, column) of the eyes, and how far below the control is
  const below = ([row, column]) => [row + down, column];
  const CHANGES = {
    "as trained": null,
    "cut between the eyes": Network.cut([[left, right], [right, left]]),
    "cut below the eyes": Network.cut([[left, below(right)], [right, below(left)]]),
  };
  const SIDE = Network.SIDE;
  let seed = data.seed;
  let z = null;
  let query = left.map((x) => Math.floor(x * SIDE)); // (row, column) of the map
  let face = null;
  let map = null;

  const shown = canvas(64, 256, "");
  shown.setAttribute("tabindex", "0");
  shown.setAttribute("role", "application");
  const looks = canvas(64, 256, "");
  const said = make("p", { class: "said", "aria-live": "polite" });
  const counted = make("p", { class: "said", "aria-live": "polite" });

  const options = () => ({ gamma: gamma(), change: CHANGES[path.value()] });

  function light() {
    const [row, column] = query;
    const weights = map.subarray((row * SIDE + column) * SIDE * SIDE).subarray(0, SIDE * SIDE);
    const most = Math.max(...weights);
    const lit = face.map((value, k) => {
      const pixel = Math.floor(k / 3);
      const [y, x] = [Math.floor(pixel / 64), pixel % 64];
      const weight = weights[Math.floor(y / 4) * SIDE + Math.floor(x / 4)] / most;
      const grey = (face[3 * pixel] + face[3 * pixel + 1] + face[3 * pixel + 2]) / 3;
      return (1 - weight) * (0.35 * (grey + 1) - 1) + weight * [1, 0.75, -0.6][k % 3];
    });
    paint(looks, lit, 64);
    paint(shown, face, 64);
    const context = shown.getContext("2d");
    context.strokeStyle = "#e4003a";
    context.strokeRect(column * 4 + 0.5, row * 4 + 0.5, 3, 3);
    const top = weights.indexOf(most);
    said.textContent = `Row ${row + 1}, column ${column + 1} of ${SIDE} looks most at row ` +
      `${Math.floor(top / SIDE) + 1}, column ${(top % SIDE) + 1}, which gets ${(100 * most).toFixed(0)} % of its attention.`;
    const place_ = `row ${row + 1}, column ${column + 1}`;
    shown.setAttribute("aria-label", `generated face; ${place_} is asked. Arrow keys move it.`);
    looks.setAttribute("aria-label", `where ${place_} looks, bright on the darkened face`);
  }

  function draw() {
    const drawn = Network.draw([z], options());
    [face, map] = [drawn.images.dataSync(), drawn.map.dataSync()];
    drawn.images.dispose();
    drawn.map.dispose();
    light();
  }

  function anew() {
    [z] = Noise.rows(Noise.quantiles(1, Network.LATENT, seed++), null);
    draw();
  }

  function point(event) {
    const box = shown.getBoundingClientRect();
    const at = (x, size) => Math.min(SIDE - 1, Math.max(0, Math.floor((SIDE * x) / size)));
    query = [at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width)];
    light();
  }
  shown.addEventListener("pointerdown", point);
  shown.addEventListener("pointermove", (event) => event.buttons && point(event));
  shown.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    query = query.map((x, k) => Math.min(SIDE - 1, Math.max(0, x + step[k])));
    light();
  });

  async function count() {
    const all = data.count;
    const noise = Noise.rows(Noise.quantiles(all, Network.LATENT, 12345), null);
    const [chosen, name] = [options(), `${path.value()}, gamma ${gamma().toFixed(2)}`];
    tally.disabled = true;
    let unequal = 0;
    for (let k = 0; k < all; k += 10) {
      const drawn = Network.draw(noise.slice(k, k + 10), chosen);
      const seen = Network.read(drawn.images);
      drawn.images.dispose();
      drawn.map.dispose();
      unequal += seen.left_iris.filter((iris, i) => iris !== seen.right_iris[i]).length;
      const done = Math.min(all, k + 10);
      counted.textContent = `${name}: ${unequal} of ${done} faces have unequal eyes` +
        (done < all ? " …" : `, as the judge reads them.`);
      await new Promise((resume) => setTimeout(resume));
    }
    tally.disabled = false;
  }

  const path = choice("attention", Object.keys(CHANGES), draw);
  const share = slider("gamma", {
    min: 0, max: 2, step: 0.05, value: 1, show: (x) => `${(x * data.gamma).toFixed(2)} (${Math.round(100 * x)} %)`,
  }, draw);
  const gamma = () => share.value() * data.gamma; // of either sign
  const tally = button(`Count ${data.count} faces`, count);
  place.append(
    make("div", { class: "row-of" }, shown, looks), said, path.row, share.row,
    make("div", { class: "row-of" }, button("New face", anew), tally), counted
  );
  anew();
});
