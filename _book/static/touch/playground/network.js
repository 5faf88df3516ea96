/* A small perceptron with its derivatives, by hand: forward, backward, the slope's own derivative
 * (R1), spectral normalization. Matrices are row by row in Float64Arrays. README.md says why this is
 * not TensorFlow.js; tests/test_playground.py holds it against the library's step.
 */
"use strict";

window.Perceptron = (() => {
  const LEAK = 0.2; // the leaky ReLU's slope below 0, DCGAN's
  const WARM_UP = 15; // rounds for a new u, as sagan_lib.spectral_norm takes

  /* a (rows, inner) times the transpose of b (columns, inner): (rows, columns). Two rows by four
   * columns at a time, because eight sums stay in registers: five times as fast as one by one.
   */
  function dots(a, b, rows, inner, columns) {
    const out = new Float64Array(rows * columns);
    const [evenRows, fourColumns] = [rows - (rows % 2), columns - (columns % 4)];
    for (let r = 0; r < evenRows; r += 2) {
      const [p, q] = [r * inner, (r + 1) * inner];
      for (let c = 0; c < fourColumns; c += 4) {
        const k0 = c * inner, k1 = k0 + inner, k2 = k1 + inner, k3 = k2 + inner;
        let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
        for (let i = 0; i < inner; i++) {
          const x = a[p + i], y = a[q + i];
          const b0 = b[k0 + i], b1 = b[k1 + i], b2 = b[k2 + i], b3 = b[k3 + i];
          s0 += x * b0; s1 += x * b1; s2 += x * b2; s3 += x * b3;
          t0 += y * b0; t1 += y * b1; t2 += y * b2; t3 += y * b3;
        }
        const o = r * columns + c, w = o + columns;
        out[o] = s0; out[o + 1] = s1; out[o + 2] = s2; out[o + 3] = s3;
        out[w] = t0; out[w + 1] = t1; out[w + 2] = t2; out[w + 3] = t3;
      }
    }
    for (let r = 0; r < rows; r++) { // what is left over
      for (let c = r < evenRows ? fourColumns : 0; c < columns; c++) {
        let sum = 0;
        for (let i = 0, p = r * inner, k = c * inner; i < inner; i++) sum += a[p + i] * b[k + i];
        out[r * columns + c] = sum;
      }
    }
    return out;
  }

  function transposed(matrix, rows, columns) {
    const out = new Float64Array(matrix.length);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) out[c * rows + r] = matrix[r * columns + c];
    }
    return out;
  }

  /* out (inner, columns) += the transpose of a (rows, inner) times b (rows, columns). */
  function addOuter(out, a, b, rows, inner, columns) {
    const sum = dots(transposed(a, rows, inner), transposed(b, rows, columns), inner, rows, columns);
    for (let k = 0; k < out.length; k++) out[k] += sum[k];
  }

  /* `vector` at length 1; one of length 0 has no direction and `otherwise` is kept. */
  function unit(vector, otherwise) {
    const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    return length > 0 ? vector.map((x) => x / length) : otherwise;
  }

  /* So many rounds of power iteration on a layer's kernel from its u, which lives on the smaller side:
   * {sigma, u, left, right}; d sigma / d kernel is left times right (Miyato et al., 2018, equation 9).
   */
  function powerIteration({ in: rows, out: columns, kernel, u }, rounds) {
    const turned = transposed(kernel, rows, columns);
    const rightwards = (x) => dots(x, turned, 1, rows, columns);
    const leftwards = (x) => dots(x, kernel, 1, columns, rows);
    const [up, down] = rows >= columns ? [leftwards, rightwards] : [rightwards, leftwards];
    let v = new Float64Array(Math.max(rows, columns));
    for (let k = 0; k < rounds; k++) {
      v = unit(up(u), v);
      u = unit(down(v), u);
    }
    const [left, right] = rows >= columns ? [v, u] : [u, v];
    const sigma = rightwards(left).reduce((sum, x, k) => sum + x * right[k], 0);
    return { sigma, u, left, right };
  }

  /* Dense layers of these sizes, leaky ReLUs between them. With `powerIterations` above 0 every kernel is
   * divided by its largest singular value, found by so many a call.
   */
  class Perceptron {
    constructor(sizes, powerIterations = 0) {
      this.powerIterations = powerIterations;
      this.layers = sizes.slice(1).map((out, k) => ({
        in: sizes[k], out, kernel: new Float64Array(sizes[k] * out), bias: new Float64Array(out),
        u: new Float64Array(Math.min(sizes[k], out)).fill(1),
      }));
    }

    /* First weights by Glorot's rule, as Keras's Dense has; `uniform` gives numbers in (0, 1). */
    start(uniform) {
      for (const layer of this.layers) {
        const edge = Math.sqrt(6 / (layer.in + layer.out));
        layer.kernel.forEach((_, k) => { layer.kernel[k] = edge * (2 * uniform() - 1); });
        layer.bias.fill(0);
        const u = unit(layer.u.map(() => uniform() - 0.5), layer.u);
        layer.u = powerIteration({ ...layer, u }, WARM_UP).u;
      }
      return this;
    }

    /* Another one with the same weights. */
    copy() {
      const other = new Perceptron([this.layers[0].in, ...this.layers.map((l) => l.out)], this.powerIterations);
      other.layers.forEach((layer, k) => {
        for (const name of ["kernel", "bias", "u"]) layer[name] = this.layers[k][name].slice();
      });
      return other;
    }

    /* All trained numbers, an array for each kernel and bias. */
    weights() {
      return this.layers.flatMap((layer) => [layer.kernel, layer.bias]);
    }

    /* The layers as one call sees them: kernels normalized, and transposed too (`turned`). `keep`
     * stores the improved u, as a call does that trains this network.
     */
    seen(keep = false) {
      return this.layers.map((layer) => {
        const found = this.powerIterations ? powerIteration(layer, this.powerIterations) : { sigma: 1 };
        if (this.powerIterations && keep) layer.u = found.u;
        const divisor = found.sigma > 0 ? found.sigma : 1;
        const kernel = this.powerIterations ? layer.kernel.map((x) => x / divisor) : layer.kernel;
        return { ...layer, ...found, kernel, turned: transposed(kernel, layer.in, layer.out) };
      });
    }

    /* The largest singular value of each kernel as the network uses it, to within rounding. */
    sigmas() {
      return this.seen().map((layer) => powerIteration(layer, 60).sigma);
    }
  }

  /* What each layer gets, and last what comes out: n rows of x through `seen` layers. */
  function forward(seen, x, n) {
    const values = [x];
    seen.forEach((layer, index) => {
      const out = dots(values[index], layer.turned, n, layer.in, layer.out);
      const leak = index === seen.length - 1 ? 1 : LEAK; // none after the last
      for (let r = 0, k = 0; r < n; r++) {
        for (let c = 0; c < layer.out; c++, k++) {
          const a = out[k] + layer.bias[c];
          out[k] = a > 0 ? a : leak * a;
        }
      }
      values.push(out);
    });
    return values;
  }

  /* delta times the leaky ReLU's slope where `value` came out of it. */
  function through(delta, value) {
    for (let k = 0; k < delta.length; k++) if (!(value[k] > 0)) delta[k] *= LEAK;
    return delta;
  }

  /* Back from `delta`, the slope of a loss in what came out. Returns the slope in x, and before it
   * the deltas of all layers; adds to `grads` (of the kernels as seen, and the biases) if given.
   */
  function backward(seen, values, delta, n, grads = null) {
    const deltas = [];
    for (let index = seen.length - 1; index >= 0; index--) {
      const layer = seen[index];
      deltas[index] = delta;
      if (grads) {
        addOuter(grads[index].kernel, values[index], delta, n, layer.in, layer.out);
        const { bias } = grads[index];
        for (let r = 0, k = 0; r < n; r++) for (let c = 0; c < layer.out; c++, k++) bias[c] += delta[k];
      }
      delta = dots(delta, layer.kernel, n, layer.out, layer.in);
      if (index > 0) through(delta, values[index]);
    }
    return { slope: delta, deltas };
  }

  /* R1: weight / 2 times the mean squared slope at n rows of x, and its gradient into `grads`
   * (Mescheder et al., 2018, equation 9). The slope is a product of kernels and of the leaky ReLU's
   * slopes, which are constant almost everywhere: so its derivative runs once up through the layers.
   */
  function r1(seen, x, n, weight, grads) {
    const values = forward(seen, x, n);
    const { slope, deltas } = backward(seen, values, new Float64Array(n).fill(1), n);
    const penalty = (weight / 2 / n) * slope.reduce((sum, g) => sum + g * g, 0);
    let adjoint = slope.map((g) => (g * weight) / n);
    seen.forEach((layer, index) => {
      addOuter(grads[index].kernel, adjoint, deltas[index], n, layer.in, layer.out);
      if (index === seen.length - 1) return;
      adjoint = through(dots(adjoint, layer.turned, n, layer.in, layer.out), values[index + 1]);
    });
    return penalty;
  }

  const zeros = (seen) => seen.map((layer) => ({
    kernel: new Float64Array(layer.kernel.length), bias: new Float64Array(layer.bias.length),
  }));

  /* From gradients of the kernels as seen to those of the raw ones, in the order of `weights`. */
  function raw(seen, grads) {
    return seen.flatMap((layer, index) => {
      const { kernel, bias } = grads[index];
      const { sigma, left, right } = layer;
      if (!left || !(sigma > 0)) return [kernel, bias]; // not normalized
      const along = kernel.reduce((sum, g, k) => sum + g * layer.kernel[k], 0);
      const pulled = kernel.map((g, k) =>
        (g - along * left[Math.floor(k / layer.out)] * right[k % layer.out]) / sigma);
      return [pulled, bias];
    });
  }

  return { Perceptron, forward, backward, r1, zeros, raw };
})();
