/* The switches, what each may be, and a setting as text in the page's address. */
"use strict";

window.Settings = (() => {
  const RATES = [0.0002, 0.0005, 0.001, 0.002, 0.004, 0.01, 0.02, 0.04, 0.1];
  const off = { 0: "off" };
  /* Name -> its label, its values, the first value, words for a value, and whether two panes may differ in it. */
  const SWITCHES = {
    data: { label: "data", values: ["ring", "grid", "moons", "own"], first: "ring", alone: true,
      words: { ring: "ring of eight", grid: "grid of 25", moons: "two moons", own: "your own points" } },
    loss: { label: "loss", values: ["minimax", "bce", "hinge", "wasserstein"], first: "bce",
      words: { bce: "non-saturating", wasserstein: "Wasserstein" } },
    sn: { label: "SN on D, rounds", values: [0, 1, 2, 5], first: 0, words: off },
    r1: { label: "R1, weight", values: [0, 0.1, 1, 10], first: 0, words: off },
    g_rate: { label: "rate of G", values: RATES, first: 0.002 },
    d_rate: { label: "rate of D", values: RATES, first: 0.002 },
    n_dis: { label: "D steps", values: [1, 2, 3, 5, 10], first: 1 },
    beta_1: { label: "momentum", values: [0, 0.5, 0.9], first: 0, words: off },
    batch: { label: "batch size", values: [8, 16, 32, 64, 128], first: 64 },
    width: { label: "width", values: [8, 16, 32, 64], first: 32 },
    ema: { label: "averaging of G", values: [0, 0.9, 0.99, 0.999], first: 0, words: off },
    seed: { label: "seed", values: Array.from({ length: 20 }, (_, k) => k), first: 0 },
  };
  const COMPARED = Object.keys(SWITCHES).filter((name) => !SWITCHES[name].alone);
  const TRIANGLE = [[-0.8, -0.6], [0.8, -0.6], [0, 0.9]];
  const MOST = 16; // points of one's own

  const said = (name, value) => SWITCHES[name].words?.[value] ?? String(value);

  /* The setting that the page opens with. `compare` names the switch in which the right pane differs. */
  function first() {
    const values = Object.entries(SWITCHES).map(([name, each]) => [name, each.first]);
    return { ...Object.fromEntries(values), compare: null, other: null, points: TRIANGLE, lesson: null };
  }

  /* What the panes train with: one setting, or two. */
  function sides(state) {
    const left = Object.fromEntries(Object.keys(SWITCHES).map((name) => [name, state[name]]));
    return state.compare ? [left, { ...left, [state.compare]: state.other }] : [left];
  }

  /* A setting as an address's last part: what differs from the first one. */
  function write(state) {
    const start = first();
    const parts = Object.keys(SWITCHES).filter((name) => state[name] !== start[name])
      .map((name) => `${name}=${state[name]}`);
    if (state.compare) parts.push(`compare=${state.compare}`, `other=${state.other}`);
    if (state.data === "own") parts.push(`points=${state.points.map((p) => p.join(",")).join(";")}`);
    if (state.lesson) parts.push(`lesson=${state.lesson}`);
    return parts.join("&");
  }

  const listed = (name, text) => SWITCHES[name].values.find((value) => String(value) === text);

  /* {state, refused}: the setting that an address tells, and its parts that are none. */
  function read(address) {
    const [state, refused] = [first(), []];
    if (!address.includes("=")) return { state, refused }; // none, or a place of the page
    const parts = new Map(address.replace(/^#/, "").split("&").map((part) => {
      const [name, ...rest] = part.split("=");
      return [name, decodeURIComponent(rest.join("="))];
    }));
    for (const [name, text] of parts) {
      if (name in SWITCHES) {
        const value = listed(name, text);
        if (value === undefined) refused.push(`${name}=${text}`);
        else state[name] = value;
      } else if (name === "points") {
        const points = text.split(";").map((pair) => pair.split(",").map(Number));
        const sound = points.length <= MOST && points.every((p) => p.length === 2 && p.every((x) => Math.abs(x) <= Plane.EDGE));
        if (sound) state.points = points;
        else refused.push(`points=${text}`);
      } else if (name === "lesson") state.lesson = text;
      else if (name !== "compare" && name !== "other") refused.push(`${name}=${text}`);
    }
    const [compare, other] = [parts.get("compare"), parts.get("other")];
    if (compare !== undefined) {
      const value = COMPARED.includes(compare) ? listed(compare, other) : undefined;
      if (value === undefined) refused.push(`compare=${compare}`);
      else [state.compare, state.other] = [compare, value];
    }
    return { state, refused };
  }

  return { SWITCHES, COMPARED, MOST, first, sides, said, read, write };
})();
