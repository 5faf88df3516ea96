/* A GAN's step on rows of numbers, as sagan_lib.gan makes it: losses, R1, Adam, the average. */
"use strict";

window.Gan = (() => {
  const { Perceptron, forward, backward, r1, zeros, raw } = window.Perceptron;
  const LATENT = 2;
  const BETA_2 = 0.9; // of Adam, as in SAGAN

  const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const above = (x) => (x > 0 ? 1 : 0);
  /* A loss of one score and its slope, for D on real, D on fake, and G: as sagan_lib.losses. */
  const CROSS_ENTROPY = {
    real: [(s) => softplus(-s), (s) => -sigmoid(-s)],
    fake: [softplus, sigmoid],
  };
  const UPWARDS = [(s) => -s, () => -1];
  const LOSSES = {
    minimax: { ...CROSS_ENTROPY, g: [(s) => -softplus(s), (s) => -sigmoid(s)] },
    bce: { ...CROSS_ENTROPY, g: [(s) => softplus(-s), (s) => -sigmoid(-s)] },
    hinge: {
      real: [(s) => Math.max(1 - s, 0), (s) => -above(1 - s)],
      fake: [(s) => Math.max(1 + s, 0), (s) => above(1 + s)],
      g: UPWARDS,
    },
    wasserstein: { real: UPWARDS, fake: [(s) => s, () => 1], g: UPWARDS },
  };

  /* Adam, as Keras writes it: `move` takes one step down the gradients. */
  class Adam {
    constructor(weights, rate, beta, epsilon = 1e-8) {
      Object.assign(this, { weights, rate, beta, epsilon, t: 0 });
      this.mean = weights.map((w) => new Float64Array(w.length));
      this.square = weights.map((w) => new Float64Array(w.length));
    }

    move(grads) {
      this.t++;
      const rate = (this.rate * Math.sqrt(1 - BETA_2 ** this.t)) / (1 - this.beta ** this.t);
      this.weights.forEach((w, index) => {
        const [grad, mean, square] = [grads[index], this.mean[index], this.square[index]];
        for (let k = 0; k < w.length; k++) {
          mean[k] += (grad[k] - mean[k]) * (1 - this.beta);
          square[k] += (grad[k] * grad[k] - square[k]) * (1 - BETA_2);
          w[k] -= (rate * mean[k]) / (Math.sqrt(square[k]) + this.epsilon);
        }
      });
    }
  }

  /* Noise that is a pure function of (seed, step, index): {uniform(), normals(count)}. */
  function draws(seed, step, index) {
    // Odd multipliers and shifts spread neighbouring seeds and steps over all 32 bits.
    let key = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(step + 1, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
    key = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d);
    const uniform = window.Noise.uniform(key ^ (key >>> 13));
    const normals = (count) => Float64Array.from({ length: count }, () =>
      Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())); // Box and Muller
    return { uniform, normals };
  }

  /* Both networks and their optimizers.
   *
   * settings: {loss, sn (rounds; 0 for none), r1 (weight; 0 for none), g_rate, d_rate, n_dis, beta_1,
   * batch, width, ema (decay; 0 for none), seed}.
   */
  class Gan {
    constructor(settings) {
      this.settings = settings;
      this.loss = LOSSES[settings.loss];
      if (!this.loss) throw new Error(`loss must be one of ${Object.keys(LOSSES)}, got ${settings.loss}`);
      const { width, seed } = settings;
      this.generator = new Perceptron([LATENT, width, width, 2]).start(draws(seed, -1, 0).uniform);
      this.discriminator = new Perceptron([2, width, width, 1], settings.sn).start(draws(seed, -1, 1).uniform);
      this.ready();
    }

    /* Fresh optimizers and a fresh average for the weights as they are. */
    ready() {
      const { g_rate: gRate, d_rate: dRate, beta_1: beta, epsilon } = this.settings;
      this.step_ = 0;
      this.average = this.generator.copy();
      this.gAdam = new Adam(this.generator.weights(), gRate, beta, epsilon);
      this.dAdam = new Adam(this.discriminator.weights(), dRate, beta, epsilon);
    }

    /* n rows of noise (n, 2) through G, or through its average. */
    draw(z, n, averaged = false) {
      return forward((averaged ? this.average : this.generator).seen(), z, n).at(-1);
    }

    /* One step of D on n real rows and the fakes of n rows of noise. Returns its loss, R1 in it. */
    dStep(real, z, n) {
      const both = new Float64Array(4 * n);
      both.set(real);
      both.set(this.draw(z, n), 2 * n);
      const seen = this.discriminator.seen(true);
      const values = forward(seen, both, 2 * n);
      let loss = 0;
      const delta = values.at(-1).map((score, k) => {
        const [value, slope] = k < n ? this.loss.real : this.loss.fake;
        loss += value(score) / n;
        return slope(score) / n;
      });
      const grads = zeros(seen);
      backward(seen, values, delta, 2 * n, grads);
      let all = raw(seen, grads);
      if (this.settings.r1 > 0) {
        const again = this.discriminator.seen(true); // a call of its own, as in sagan_lib.penalties
        const more = zeros(again);
        loss += r1(again, real, n, this.settings.r1, more);
        all = raw(again, more).map((grad, index) => grad.map((g, k) => g + all[index][k]));
      }
      this.dAdam.move(all);
      return loss;
    }

    /* The push that D gives to n points: the slope of G's loss in each, (n, 2), and the loss. */
    push(points, n) {
      const seen = this.discriminator.seen();
      const values = forward(seen, points, n);
      const [value, slope] = this.loss.g;
      const scores = values.at(-1);
      const loss = scores.reduce((sum, s) => sum + value(s), 0) / n;
      return { loss, slope: backward(seen, values, scores.map(slope), n).slope };
    }

    /* One step of G on n rows of noise, and of its average. Returns its loss. */
    gStep(z, n) {
      const seen = this.generator.seen();
      const values = forward(seen, z, n);
      const { loss, slope } = this.push(values.at(-1), n);
      const grads = zeros(seen);
      backward(seen, values, slope.map((x) => x / n), n, grads);
      this.gAdam.move(raw(seen, grads));
      // Shorter at the start, as in sagan_lib.gan.
      const decay = Math.min(this.settings.ema, (1 + this.step_) / (10 + this.step_));
      const weights = this.generator.weights();
      this.average.weights().forEach((mean, index) => {
        for (let k = 0; k < mean.length; k++) mean[k] = weights[index][k] + decay * (mean[k] - weights[index][k]);
      });
      this.step_++;
      return loss;
    }

    /* A whole step: n_dis of D and one of G. `sample` gives n real rows from draws. */
    step(sample) {
      const { n_dis: steps, batch, seed } = this.settings;
      let dLoss = 0;
      for (let index = 0; index < steps; index++) {
        const real = sample(batch, draws(seed, this.step_, 2 * index));
        dLoss = this.dStep(real, draws(seed, this.step_, 2 * index + 1).normals(LATENT * batch), batch);
      }
      const gLoss = this.gStep(draws(seed, this.step_, 2 * steps).normals(LATENT * batch), batch);
      return { dLoss, gLoss };
    }

    /* D's scores and the length of its slope at n points. */
    landscape(points, n) {
      const seen = this.discriminator.seen();
      const values = forward(seen, points, n);
      const { slope } = backward(seen, values, new Float64Array(n).fill(1), n);
      const lengths = new Float64Array(n).map((_, k) => Math.hypot(slope[2 * k], slope[2 * k + 1]));
      return { scores: values.at(-1), lengths };
    }
  }

  return { Gan, LOSSES, LATENT, draws };
})();
