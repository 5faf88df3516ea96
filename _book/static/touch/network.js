/* The generators of the book and its judge, computed in the reader's browser by TensorFlow.js.
 *
 * Needs tfjs/ and the scripts that `python -m sagan_lib export` writes. Images are float32
 * [n, side, side, 3] in [-1, 1]; a map is [n, 256, 256], row by row the positions that look.
 */
"use strict";

window.Network = (() => {
  const SIDE = 16; // of the feature map that attends
  const arrays = {};

  /* Half precision to single: 5 bits of exponent, 10 of mantissa. */
  function single(bits) {
    const exponent = (bits >> 10) & 31;
    const mantissa = bits & 1023;
    const size = exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : mantissa * 2 ** -24;
    return bits & 32768 ? -size : size;
  }

  function unpack({ shapes, data }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const halves = new Uint16Array(bytes.buffer);
    for (const [name, [start, ...shape]] of Object.entries(shapes)) {
      const size = shape.reduce((a, b) => a * b, 1);
      arrays[name] = tf.tensor(Float32Array.from(halves.subarray(start, start + size), single), shape);
    }
  }

  let starting = null;
  /* Resolves when the network can compute; safe to call often. */
  function start() {
    starting ??= (async () => {
      // One binary is enough: every current browser has the instructions that it needs.
      if (!(await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT"))) throw new Error("no SIMD");
      tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
      const names = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);
      tf.wasm.setWasmPaths(Object.fromEntries(names.map((name) => [name, window.TFJS_WASM])));
      await tf.setBackend("wasm");
      await tf.ready();
      window.SAGAN_WEIGHTS.forEach(unpack);
    })();
    return starting;
  }

  const get = (name) => arrays[name];
  const dense = (x, name) => tf.add(tf.matMul(x, get(`${name}/kernel`)), get(`${name}/bias`));
  function up(x, name) {
    const [n, h, w] = x.shape;
    const kernel = get(`${name}/kernel`); // [4, 4, out, in]
    const shape = [n, 2 * h, 2 * w, kernel.shape[2]];
    const y = tf.conv2dTranspose(x, kernel, shape, 2, "same");
    return tf.add(y, get(`${name}/bias`));
  }
  const colours = (x, name) =>
    tf.tanh(tf.add(tf.conv2d(x, get(`${name}/kernel`), 1, "same"), get(`${name}/bias`)));

  /* y = x + gamma o, with o the values mixed by the map, which `change` may replace. */
  function attend(x, { gamma, change }) {
    const n = x.shape[0];
    const flat = tf.reshape(x, [n * SIDE * SIDE, x.shape[3]]);
    const project = (name) => {
      const y = tf.add(tf.matMul(flat, get(`g/attention/${name}`)), get(`g/attention/${name}_bias`));
      return tf.reshape(y, [n, SIDE * SIDE, y.shape[1]]);
    };
    let map = tf.softmax(tf.matMul(project("g"), project("f"), false, true));
    if (change) map = tf.tensor(change(map.dataSync(), n), map.shape);
    const mixed = tf.reshape(tf.matMul(map, project("h")), x.shape);
    return [tf.add(x, tf.mul(mixed, gamma ?? get("g/attention/gamma"))), map];
  }

  /* Images for noise z, and the map that they were drawn with.
   * options: gamma in place of the trained one; change, a function of (map, n) that gives another.
   */
  function draw(z, options = {}) {
    return tf.tidy(() => {
      let x = tf.relu(tf.reshape(dense(tf.tensor2d(z), "g/project"), [z.length, 4, 4, -1]));
      for (const side of [8, 16]) x = tf.relu(up(x, `g/up${side}`));
      const [y, map] = attend(x, options);
      x = y;
      for (const side of [32, 64]) x = tf.relu(up(x, `g/up${side}`));
      return { images: colours(x, "g/to_rgb"), map };
    });
  }

  /* Images of 32 pixels for noise z and labels y, [n, width]: a 1 for each value asked for. */
  function order(z, y) {
    return tf.tidy(() => {
      const n = z.length;
      const labels = tf.tensor2d(y);
      const told = (x, name) => { // a gain and an offset for each channel, by label
        const [gains, offsets] = ["gains", "offsets"].map((table) =>
          tf.reshape(tf.matMul(labels, get(`order/${name}/${table}`)), [n, 1, 1, -1]));
        return tf.relu(tf.add(tf.mul(x, tf.add(gains, 1)), offsets));
      };
      let x = told(tf.reshape(dense(tf.tensor2d(z), "order/project"), [n, 4, 4, -1]), "bn4");
      for (const side of [8, 16, 32]) x = told(up(x, `order/up${side}`), `bn${side}`);
      return colours(x, "order/to_rgb");
    });
  }

  /* Halves a side by a triangle over four rows, as Keras resizes. */
  function halving(size) {
    const rows = [];
    for (let i = 0; i < size / 2; i++) {
      const row = Array.from({ length: size }, (_, j) => Math.max(0, 2 - Math.abs(2 * i + 0.5 - j)));
      const sum = row.reduce((a, b) => a + b);
      rows.push(row.map((weight) => weight / sum));
    }
    return tf.tensor2d(rows);
  }

  /* Images of half the side. */
  function halved(images) {
    const [n, size] = images.shape;
    const half = halving(size);
    const across = tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [n * 3 * size, size]);
    const narrow = tf.reshape(tf.matMul(across, half, false, true), [n * 3, size, size / 2]);
    const small = tf.matMul(tf.tile(tf.expandDims(half), [n * 3, 1, 1]), narrow);
    return tf.transpose(tf.reshape(small, [n, 3, size / 2, size / 2]), [0, 2, 3, 1]);
  }

  /* What the judge reads of images: {left_iris: [..], right_iris: [..], hair: [..], ...}. */
  function read(images) {
    return tf.tidy(() => {
      const n = images.shape[0];
      let x = images.shape[1] === 32 ? images : halved(images); // the judge takes 32 pixels
      for (const block of ["judge/conv0", "judge/conv1", "judge/conv2"]) {
        x = tf.conv2d(x, get(`${block}/kernel`), 1, "same");
        x = tf.maxPool(tf.relu(tf.add(x, get(`${block}/bias`))), 2, 2, "same");
      }
      x = tf.relu(dense(tf.reshape(x, [n, -1]), "judge/features"));
      const heads = ["left_iris", "right_iris", "hair", "skin", "background", "long_hair"];
      return Object.fromEntries(
        heads.map((name) => [name, Array.from(tf.argMax(dense(x, `judge/${name}`), 1).dataSync())])
      );
    });
  }

  /* Whether each cell of the attended map lies in the square around a (row, column) in [0, 1). */
  function square([row, column], width = 3 / 16) {
    const reach = Math.floor((width * SIDE) / 2);
    const [r, c] = [Math.floor(row * SIDE), Math.floor(column * SIDE)];
    return Array.from({ length: SIDE * SIDE }, (_, k) =>
      Math.abs(Math.floor(k / SIDE) - r) <= reach && Math.abs((k % SIDE) - c) <= reach);
  }

  /* A change for `draw`: for each [query, target], the square around the one no longer looks at
   * the square around the other; what it gave there goes to all other places in equal parts.
   */
  function cut(pairs) {
    const N = SIDE * SIDE;
    return (map, n) => {
      const changed = Float32Array.from(map);
      for (const [query, target] of pairs) {
        const [asks, taken] = [square(query), square(target)];
        const others = N - taken.filter(Boolean).length;
        for (let row = 0; row < n * N; row++) {
          if (!asks[row % N]) continue;
          const at = row * N;
          let lost = 0;
          for (let k = 0; k < N; k++) if (taken[k]) lost += changed[at + k];
          for (let k = 0; k < N; k++) changed[at + k] = taken[k] ? 0 : changed[at + k] + lost / others;
        }
      }
      return changed;
    };
  }

  return { start, draw, order, read, cut, SIDE, LATENT: 64, LATENT_OF_ORDER: 32 };
})();
