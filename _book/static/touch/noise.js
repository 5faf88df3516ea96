/* Noise that is the same for the same seed, and can be truncated without changing its direction. */
"use strict";

window.Noise = (() => {
  /* A stream of numbers in (0, 1): the generator called mulberry32, of Tommy Ettinger (2017). */
  function uniform(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
    };
  }

  /* The inverse of the error function in single precision: M. Giles, "Approximating the erfinv
   * function", GPU Computing Gems (2011).
   */
  function erfinv(x) {
    let w = -Math.log((1 - x) * (1 + x));
    const near = [2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4,
      -1.25372503e-3, -4.17768164e-3, 0.246640727, 1.50140941];
    const far = [-2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3,
      -7.6224613e-3, 9.43887047e-3, 1.00167406, 2.83297682];
    const tail = w >= 5;
    w = tail ? Math.sqrt(w) - 3 : w - 2.5;
    return (tail ? far : near).reduce((sum, factor) => sum * w + factor) * x;
  }

  /* Rows of noise for quantiles in (0, 1): a normal distribution cut off at +-truncation. */
  const EDGES = { 1: 0.68268949, 2: 0.95449974 }; // erf(t / sqrt 2), to check `edge`
  function edge(truncation) {
    let sum = 0; // of the density, by Simpson's rule: no browser has an error function
    const steps = 200;
    for (let i = 0; i <= steps; i++) {
      const x = (truncation * i) / steps;
      sum += Math.exp((-x * x) / 2) * (i === 0 || i === steps ? 1 : i % 2 ? 4 : 2);
    }
    return Math.min((sum * truncation) / (3 * steps) * Math.sqrt(2 / Math.PI), 1 - 2 ** -24);
  }

  function rows(quantiles, truncation) {
    const end = truncation ? edge(truncation) : 1 - 2 ** -24;
    return quantiles.map((row) => row.map((u) => erfinv((2 * u - 1) * end) * Math.SQRT2));
  }

  function quantiles(n, size, seed) {
    const next = uniform(seed);
    return Array.from({ length: n }, () => Array.from({ length: size }, next));
  }

  return { uniform, quantiles, rows, edge, EDGES };
})();
