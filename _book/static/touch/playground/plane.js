/* The data in the plane, and what is measured against them: places found, distance to the truth. */
"use strict";

window.Plane = (() => {
  const EDGE = 1.6; // half a side of what is shown
  const EYES = 512; // points that a measurement looks at
  const DIRECTIONS = 24;
  const turn = (k, n) => [Math.cos((2 * Math.PI * k) / n), Math.sin((2 * Math.PI * k) / n)];

  const moons = Array.from({ length: 8 }, (_, k) => {
    const angle = (Math.PI * ((k % 4) + 0.5)) / 4;
    return k < 4 ? [Math.cos(angle) - 0.5, Math.sin(angle) - 0.25] : [0.5 - Math.cos(angle), 0.25 - Math.sin(angle)];
  });
  const spread = (centres, deviation) => (n, { uniform, normals }) => {
    const noise = normals(2 * n);
    const points = new Float64Array(2 * n);
    for (let k = 0; k < n; k++) {
      const [x, y] = centres[Math.floor(uniform() * centres.length)];
      points[2 * k] = x + deviation * noise[2 * k];
      points[2 * k + 1] = y + deviation * noise[2 * k + 1];
    }
    return points;
  };
  function alongMoons(n, { uniform, normals }) {
    const noise = normals(2 * n);
    const points = new Float64Array(2 * n);
    for (let k = 0; k < n; k++) {
      const [upper, angle] = [uniform() < 0.5, Math.PI * uniform()];
      const [x, y] = [Math.cos(angle) - 0.5, Math.sin(angle) - 0.25];
      points[2 * k] = (upper ? x : -x) + 0.05 * noise[2 * k];
      points[2 * k + 1] = (upper ? y : -y) + 0.05 * noise[2 * k + 1];
    }
    return points;
  }

  /* A world: its places (what a generator can forget), how far one reaches, and how to draw from it. */
  function world(name, own = []) {
    const around = (centres, deviation) =>
      ({ centres, reach: 3 * deviation, sample: spread(centres, deviation) });
    if (name === "ring") return around(Array.from({ length: 8 }, (_, k) => turn(k, 8)), 0.05);
    if (name === "grid") {
      return around(Array.from({ length: 25 }, (_, k) => [(k % 5) / 2 - 1, Math.floor(k / 5) / 2 - 1]), 0.04);
    }
    if (name === "moons") return { centres: moons, reach: 0.4, sample: alongMoons };
    if (name === "own") return around(own.length ? own : [[0, 0]], 0.05);
    throw new Error(`data must be ring, grid, moons or own, got ${name}`);
  }

  /* How many of the points each place has within its reach. */
  function counts({ centres, reach }, points) {
    const found = centres.map(() => 0);
    for (let k = 0; k < points.length; k += 2) {
      let [best, near] = [-1, reach * reach];
      centres.forEach(([x, y], index) => {
        const far = (points[k] - x) ** 2 + (points[k + 1] - y) ** 2;
        if (far < near) [best, near] = [index, far];
      });
      if (best >= 0) found[best]++;
    }
    return found;
  }

  /* The points on a line in each direction, sorted. */
  const shadows = (points) => Array.from({ length: DIRECTIONS }, (_, d) => {
    const [x, y] = turn(d, 2 * DIRECTIONS);
    return new Float64Array(points.length / 2).map((_, k) => x * points[2 * k] + y * points[2 * k + 1]).sort();
  });

  /* The sliced Wasserstein distance of as many points: how far their shadows must move, on average
   * (Bonneel et al., 2015, in its first power).
   */
  function distance(ours, theirs) {
    let sum = 0;
    ours.forEach((shadow, d) => shadow.forEach((x, k) => { sum += Math.abs(x - theirs[d][k]); }));
    return sum / ours.length / ours[0].length;
  }

  /* What watches a training: a place is found when it has a quarter of its share of the points, and
   * lost again when it has less than an eighth. `floor` is the distance between two real samples.
   */
  class Watch {
    constructor(world, gan) {
      Object.assign(this, { world, gan, lost: 0, found: world.centres.map(() => false), before: null });
      const { draws, LATENT } = window.Gan;
      this.z = draws(gan.settings.seed, -1, 2).normals(LATENT * EYES);
      const real = [3, 4].map((index) => world.sample(EYES, draws(gan.settings.seed, -1, index)));
      [this.real] = real;
      this.truth = shadows(real[0]);
      this.floor = distance(shadows(real[1]), this.truth);
    }

    /* How it is now: {points, sound (all finite), found (for each place), most (the largest share of one
     * place), distance}.
     */
    peek() {
      const points = this.gan.draw(this.z, EYES, this.gan.settings.ema > 0);
      const share = EYES / this.world.centres.length;
      const sound = points.every(Number.isFinite);
      const has = sound ? counts(this.world, points) : this.found.map(() => 0);
      return {
        points, sound, most: Math.max(...has) / EYES,
        found: has.map((count, k) => count >= share / (this.found[k] ? 8 : 4)),
        distance: sound ? distance(shadows(points), this.truth) : Infinity,
      };
    }

    /* The same, kept: places that are found no more count as lost, and `moved` is how far a point went
     * since the last look, on average. `found` is a number here.
     */
    look() {
      const { found, ...now } = this.peek();
      this.lost += this.found.filter((was, k) => was && !found[k]).length;
      this.found = found;
      const before = this.before ?? now.points;
      this.before = now.points;
      let moved = 0;
      for (let k = 0; k < 2 * EYES; k += 2) {
        moved += Math.hypot(now.points[k] - before[k], now.points[k + 1] - before[k + 1]) / EYES;
      }
      return { ...now, moved, lost: this.lost, found: found.filter(Boolean).length };
    }
  }

  return { EDGE, EYES, world, counts, shadows, distance, Watch };
})();
