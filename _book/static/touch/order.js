/* Faces to order: a choice for each label, and beside each face what the judge reads of it. */
"use strict";

Touch.register("order", async (data, place) => {
  await Network.start();
  const { make, button, choice, canvas, paint } = Touch;
  const { labels, first } = data; // {factor: names of its values}, as the generator takes them
  const SHOWN = 8;
  const title = (factor) => ({ long_hair: "hair is" })[factor] ?? factor;
  let seed = 1;
  let z = null;

  const factors = Object.keys(labels);
  const picked = Object.fromEntries(factors.map((factor) =>
    [factor, choice(title(factor), labels[factor], draw, first[factor])]));
  const faces = Array.from({ length: SHOWN }, (_, k) => canvas(32, 128, `face ${k + 1}`));
  const notes = faces.map(() => make("div", { class: "note" }));
  const said = make("p", { class: "said", "aria-live": "polite" });

  /* What the judge reads as a factor of face k: of an iris, in both eyes. */
  function reading(read, factor, k) {
    const seen = factor === "iris" ? [read.left_iris[k], read.right_iris[k]] : [read[factor][k]];
    return [...new Set(seen)].map((value) => labels[factor][value]).join(" and ");
  }

  function draw() {
    const order = factors.map((factor) => picked[factor].value());
    const row = factors.flatMap((factor, k) => labels[factor].map((name) => Number(name === order[k])));
    const images = Network.order(z, z.map(() => row));
    const [numbers, read] = [images.dataSync(), Network.read(images)];
    images.dispose();
    let wrong = 0;
    let whole = 0;
    faces.forEach((face, k) => {
      paint(face, numbers.subarray(k * 3072, (k + 1) * 3072), 32);
      const others = factors.filter((factor, i) => reading(read, factor, k) !== order[i]);
      const told = others.map((factor) => `${title(factor)} ${reading(read, factor, k)}`);
      notes[k].textContent = others.length ? `✗ ${told.join(", ")}` : "✓ as ordered";
      wrong += others.length;
      whole += others.length ? 0 : 1;
    });
    const all = SHOWN * factors.length;
    said.textContent = `The judge reads ${all - wrong} of ${all} labels as ordered, ` +
      `and ${whole} of ${SHOWN} faces in all ${factors.length}.`;
  }

  function anew() {
    z = Noise.rows(Noise.quantiles(SHOWN, Network.LATENT_OF_ORDER, seed++), null);
    draw();
  }

  place.append(
    make("div", { class: "picks" }, ...factors.map((factor) => picked[factor].row)),
    make("div", { class: "row-of" }, button("New faces, same order", anew)),
    make("div", { class: "faces noted" }, ...faces.map((face, k) => make("div", {}, face, notes[k]))),
    said
  );
  anew();
});
