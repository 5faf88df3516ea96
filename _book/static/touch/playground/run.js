/* One training as it is watched: steps, a look every so many of them, and what is said at its end. */
"use strict";

window.Run = (() => {
  const EVERY = 25; // steps from one look to the next
  const SIDE = 32; // of the grid on which D's slope is looked for

  /* The middles of SIDE x SIDE cells of what is shown, row by row from the top, (SIDE^2, 2). */
  const GRID = Float64Array.from({ length: 2 * SIDE * SIDE }, (_, k) => {
    const cell = k >> 1;
    const at = k % 2 ? SIDE - 1 - Math.floor(cell / SIDE) : cell % SIDE;
    return Plane.EDGE * ((2 * at + 1) / SIDE - 1);
  });

  class Run {
    constructor(settings, points) {
      this.settings = settings;
      this.world = Plane.world(settings.data, points);
      this.gan = new Gan.Gan(settings);
      this.watch = new Plane.Watch(this.world, this.gan);
      Object.assign(this, { step: 0, log: [], sums: [0, 0], last: null, broken: false });
      this.now = this.watch.look();
    }

    /* One step; every so many a look, with the mean losses since the last one. */
    advance() {
      if (this.broken) return;
      const { dLoss, gLoss } = this.gan.step(this.world.sample);
      this.step++;
      this.last = { dLoss, gLoss };
      this.sums = [this.sums[0] + dLoss, this.sums[1] + gLoss];
      if (this.step % EVERY) return;
      const { sound, ...look } = this.now = this.watch.look();
      delete look.points; // a picture for now, not for ever
      this.log.push({ step: this.step, dLoss: this.sums[0] / EVERY, gLoss: this.sums[1] / EVERY, ...look });
      this.sums = [0, 0];
      this.broken = !sound;
    }

    /* D's scores on the grid, and its largest slope there. */
    surface() {
      const { scores, lengths } = this.gan.landscape(GRID, SIDE * SIDE);
      return { scores, slope: lengths.reduce((a, b) => Math.max(a, b), 0) };
    }

    /* What lessons speak of: places found at the end; over the last quarter the mean distance, the mean
     * way of a point between two looks, and the largest share that one place had; the steepest slope;
     * the mean push on a fake.
     */
    summary() {
      const quarter = this.log.slice(-Math.max(1, Math.floor(this.log.length / 4)));
      const mean = (name) => quarter.reduce((sum, look) => sum + look[name], 0) / quarter.length;
      const { slope } = this.gan.push(this.now.points, Plane.EYES);
      let push = 0;
      for (let k = 0; k < slope.length; k += 2) push += Math.hypot(slope[k], slope[k + 1]) / Plane.EYES;
      return {
        places: this.world.centres.length, found: this.now.found, lost: this.now.lost,
        most: Math.max(...quarter.map((look) => look.most)), distance: mean("distance"), moved: mean("moved"),
        slope: this.surface().slope, push, floor: this.watch.floor, broken: this.broken,
      };
    }
  }

  return { Run, EVERY, SIDE };
})();
