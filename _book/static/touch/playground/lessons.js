/* Eight settings to predict. On the left is the trouble, on the right one switch is another. What a
 * sentence claims is `holds`, asked of both trainings at the end; how many of ten seeds do so is counted by
 * _book/lessons.py, which writes shares.js.
 */
"use strict";

window.Lessons = (() => {
  const places = ({ left, right }) => `${left.found} of ${left.places} places found on the left, ${right.found} on the right`;
  const far = ({ left, right }) => `distance ${Pane.short(left.distance)} on the left, ${Pane.short(right.distance)} on the right`;
  const steep = ({ left, right }) => `steepest slope ${Pane.short(left.slope)} on the left, ${Pane.short(right.slope)} on the right`;

  const crowd = ({ left, right }) => `${Math.round(100 * left.most)} % of the points at once on one place on the left, ${Math.round(100 * right.most)} % on the right`;

  const PAIR = [[-1, 0], [1, 0]];
  const CORNER = [[1.2, 1.2], [1.2, 0.8]];
  const LESSONS = [
    {
      name: "minimax", title: "Minimax stops", steps: 200, told: far,
      state: { data: "own", points: CORNER, batch: 32, loss: "minimax", n_dis: 5, d_rate: 0.02, g_rate: 0.0005, compare: "loss", other: "bce" },
      predict: "The data lie in a corner, and D learns fast: soon it is sure of every fake. Which loss of G still gets an answer from such a D?",
      after: "With the minimax loss most points are left behind, or all: where D is sure that loss is flat, and no push comes. The non-saturating loss pushes hardest where D is surest.",
      holds: ({ left, right }) => left.distance > 3 * right.distance && left.found <= 1,
    },
    {
      name: "circle", title: "Equal rates circle", steps: 600, told: far,
      state: { batch: 32, beta_1: 0.9, g_rate: 0.0005, d_rate: 0.0005, compare: "d_rate", other: 0.002 },
      predict: "Both players move at the same rate, with momentum. On the right D moves four times as fast. Where will the points go round and round?",
      after: "With equal rates G has left before D has answered, and the points swing past the ring, back and forth. The faster D brakes the swing.",
      holds: ({ left, right }) => left.distance > 1.3 * right.distance && left.moved > 1.1 * right.moved,
    },
    {
      name: "fast_d", title: "D too fast", steps: 300, told: steep,
      state: { batch: 32, d_rate: 0.04, n_dis: 5, g_rate: 0.001, compare: "d_rate", other: 0.001 },
      predict: "D makes five large steps for each small one of G. A stronger teacher: better for G?",
      after: "D draws cliffs around each place. On a cliff's edge the push is huge, away from it there is none that leads anywhere, and G is thrown rather than led.",
      holds: ({ left, right }) => left.slope > 2 * right.slope && left.distance > 1.2 * right.distance,
    },
    {
      name: "sn", title: "SN holds D", steps: 300, told: steep,
      state: { batch: 32, d_rate: 0.04, n_dis: 5, g_rate: 0.001, compare: "sn", other: 1 },
      predict: "The same fast D, and on the right each of its kernels is divided by its largest singular value. What becomes of the cliffs?",
      after: "Every layer’s σ is near 1, and so D’s slope stays near 1 or below, however fast it learns. The ground is gentle and no point is thrown. It is also too gentle to show small places sharply: look how few are found.",
      holds: ({ left, right }) => left.slope > 5 && right.slope < 1.1 && right.distance < left.distance,
    },
    {
      name: "r1", title: "R1 settles", steps: 300, told: far,
      state: { loss: "wasserstein", beta_1: 0.5, compare: "r1", other: 1 },
      predict: "A Wasserstein loss and nothing that holds D. On the right D pays for its slope at the real points. Which pair comes to rest?",
      after: "Without a brake the pair swings back and forth, as the smallest GAN of chapter 4 does. R1 makes D flat where the data are, and the swing is small.",
      holds: ({ left, right }) => left.distance > 2 * right.distance && left.moved > 1.5 * right.moved,
    },
    {
      name: "momentum", title: "Momentum 0.9", steps: 400, told: places,
      state: { beta_1: 0.9, compare: "beta_1", other: 0 },
      predict: "Adam’s default keeps nine tenths of its last direction. In most of deep learning that helps. And in a game?",
      after: "The goal moves, so yesterday’s direction is wrong today: the points overshoot, and come back, and overshoot. Without momentum they come to the ring and stay.",
      holds: ({ left, right }) => left.distance > 3 * right.distance && left.moved > 3 * right.moved,
    },
    {
      name: "collapse", title: "Collapse to one mode", steps: 300, told: crowd,
      state: { data: "own", points: PAIR, batch: 32, n_dis: 3, d_rate: 0.02, g_rate: 0.04, compare: "sn", other: 1 },
      predict: "Two places, a strong D, and a G that moves even faster. Where will G put its points?",
      after: "Nearly all on the one place that D likes best just now: one mode is lost, and no loss says so. Held by SN, D has no such peaks to run to, and the points stay spread out.",
      holds: ({ left, right }) => left.found <= 1 && left.most > 0.6 && right.most < 0.6 && left.distance > 2 * right.distance,
    },
    {
      name: "rate", title: "A rate too high", steps: 300, told: far,
      state: { g_rate: 0.1, d_rate: 0.1, compare: "g_rate", other: 0.002 },
      predict: "Fifty times the rate: will it be there fifty times sooner?",
      after: "It never arrives: each step jumps further than the ring is wide.",
      holds: ({ left, right }) => left.found <= 2 && left.distance > 2 * right.distance,
    },
  ];

  /* Both trainings of a lesson with some seed, to its end, without a picture: {left, right, holds}. */
  function tried(name, seed) {
    const lesson = LESSONS.find((each) => each.name === name);
    const state = { ...Settings.first(), ...lesson.state, seed };
    const [left, right] = Settings.sides(state).map((side) => {
      const run = new Run.Run(side, state.points);
      for (let k = 0; k < lesson.steps; k++) run.advance();
      return run.summary();
    });
    return { left, right, holds: lesson.holds({ left, right }) };
  }

  return { LESSONS, SHARES: window.PLAYGROUND_SHARES, tried };
})();
