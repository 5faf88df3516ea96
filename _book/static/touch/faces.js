/* New faces, truncation, and a walk between two of them. */
"use strict";

Touch.register("faces", async (data, place) => {
  await Network.start();
  const { make, slider, button, canvas, paint } = Touch;
  const SHOWN = 8;
  const NONE = 3.1; // where the slider stands for no truncation
  let seed = 1;
  let quantiles = null;
  let z = null;

  const small = Array.from({ length: SHOWN }, (_, k) => canvas(64, 80, `generated face ${k + 1}`));
  const ends = [canvas(64, 96, "the first face"), canvas(64, 96, "the last face")];
  const between = canvas(64, 160, "a face on the way from the first to the last");

  function put(targets, images) {
    const numbers = images.dataSync();
    targets.forEach((target, k) => paint(target, numbers.subarray(k * 12288, (k + 1) * 12288), 64));
    images.dispose();
  }

  function faces(noise) {
    const { images, map } = Network.draw(noise);
    map.dispose();
    return images;
  }

  function walk(share) {
    const last = z[SHOWN - 1];
    put([between], faces([z[0].map((x, k) => (1 - share) * x + share * last[k])]));
  }

  function draw() {
    const value = truncation.value();
    z = Noise.rows(quantiles, value < NONE ? value : null);
    put(small, faces(z));
    put(ends, faces([z[0], z[SHOWN - 1]]));
    walk(along.value());
  }

  function anew() {
    quantiles = Noise.quantiles(SHOWN, Network.LATENT, seed++);
    draw();
  }

  const truncation = slider(
    "truncation",
    { min: 0.1, max: NONE, step: 0.1, value: NONE, show: (x) => (x < NONE ? x.toFixed(1) : "none") },
    draw
  );
  const along = slider(
    "walk", { min: 0, max: 1, step: 0.02, value: 0.5, show: (x) => `${Math.round(100 * x)} %` }, walk
  );
  place.append(
    make("div", { class: "faces" }, ...small),
    make("div", { class: "row-of" }, button("New faces", anew), truncation.row),
    make("div", { class: "row-of walk" }, ends[0], between, ends[1]),
    make("div", { class: "row-of" }, along.row)
  );
  anew();
});
