/* The playground: lessons, buttons, switches and one or two panes; its setting stands in the address.
 * Inside of a chapter it is given a setting, {"setting": "lesson=collapse"}: then it has neither lessons nor
 * switches, leaves the address alone, and leads to the page that has all.
 */
"use strict";

Touch.register("playground", (data, place) => {
  const whole = !data;
  const { make, fresh, button } = Touch;
  const { SWITCHES, COMPARED, MOST, first, sides, said, read, write } = Settings;
  const SPEEDS = { "as fast as it goes": Infinity, "30 steps a second": 30, "5 steps a second": 5, "1 step a second": 1 };
  const BUDGET = 12; // milliseconds of arithmetic in one frame, so that the page stays quick
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  let state = first();
  let [playing, inSight, owed, before, drawn] = [false, true, 0, 0, 0];
  let told = false; // whether the lesson's second sentence stands there

  // ---- what is on the page -------------------------------------------------------------------
  const panes = [new Pane.Pane(put), new Pane.Pane(put)];
  const stage = make("div", { class: "stage" }, ...panes.map((pane) => pane.element));
  const counter = make("span", { class: "counter" }); // no live region: it changes with every step
  const note = make("p", { class: "said note", "aria-live": "polite" });
  const lesson = make("div", { class: "lesson", "aria-live": "polite" });
  const play = button("Play", () => (playing ? pause() : start()));
  play.classList.add("play");
  const speed = chooser("speed", Object.keys(SPEEDS), (name) => name, () => { owed = 0; });
  const further = make("a", { href: "playground.html" }, "All switches and lessons");
  const bar = make("div", { class: "row-of bar" }, play, button("One step", () => { pause(); advance(); draw(); }),
    button("Restart", restart), whole ? button("Copy the address", copy) : further, speed.row, counter);

  const choosers = Object.fromEntries(Object.entries(SWITCHES).map(([name, each]) =>
    [name, chooser(each.label, each.values, (value) => said(name, value), (value) => change({ [name]: value }))]));
  const compare = chooser("compare", [null, ...COMPARED], (name) => (name ? SWITCHES[name].label : "one pane"), compareBy);
  const other = chooser("on the right", [], String, (value) => change({ other: value }));
  const switches = make("div", { class: "switches", role: "group", "aria-label": "switches" },
    ...Object.values(choosers).map(({ row }) => row), compare.row, other.row);
  const lessons = Lessons.LESSONS.map((each) => {
    const made = button(each.title, () => open(each));
    made.dataset.lesson = each.name;
    return made;
  });
  const choices = make("div", { class: "lessons", role: "group", "aria-label": "lessons" }, ...lessons);
  place.append(...(whole ? [choices, lesson, bar, stage, note, switches] : [lesson, bar, stage, note]));

  /* A labelled list to choose from: {row, select, set, offer}. */
  function chooser(label, values, words, changed) {
    const id = fresh();
    const select = make("select", { id, change: () => changed(offered[select.selectedIndex]) });
    let offered = [];
    const offer = (next, named) => {
      offered = next;
      select.replaceChildren(...next.map((value) => make("option", {}, named(value))));
    };
    offer(values, words);
    return {
      row: make("div", { class: "chooser" }, make("label", { for: id }, label), select), select, offer,
      set: (value) => { select.selectedIndex = offered.indexOf(value); },
    };
  }

  // ---- the setting ---------------------------------------------------------------------------
  /* Some switches changed: the training begins anew, and the address says so. */
  function change(some) {
    state = { ...state, lesson: null, ...some };
    if (state.compare && state.other === state[state.compare]) state.other = another(state.compare);
    restart();
  }

  /* A value that a switch does not have on the left. */
  const another = (name) => SWITCHES[name].values.find((value) => value !== state[name]);

  function compareBy(name) {
    change({ compare: name, other: name && another(name) });
  }

  function open(each) {
    state = { ...first(), ...each.state, lesson: each.name };
    restart();
  }

  /* A point of one's own, or one taken away that is near. */
  function put(point) {
    const near = state.points.findIndex(([x, y]) => Math.hypot(x - point[0], y - point[1]) < 0.12);
    const rounded = point.map((x) => Number(x.toFixed(2)));
    let points = [...state.points, rounded];
    if (near >= 0) points = state.points.filter((_, k) => k !== near);
    if (points.length === 0 || points.length > MOST) {
      note.textContent = points.length ? `${MOST} points at most.` : "One point must stay.";
      return;
    }
    change({ points });
  }

  function show() {
    for (const [name, each] of Object.entries(choosers)) each.set(state[name]);
    compare.set(state.compare);
    other.row.hidden = !state.compare;
    if (state.compare) {
      const values = SWITCHES[state.compare].values.filter((value) => value !== state[state.compare]);
      other.offer(values, (value) => said(state.compare, value));
      other.set(state.other);
    }
    for (const each of lessons) each.setAttribute("aria-pressed", String(each.dataset.lesson === state.lesson));
  }

  function taught() {
    return Lessons.LESSONS.find(({ name }) => name === state.lesson);
  }

  function restart() {
    pause();
    told = false;
    const both = sides(state);
    stage.classList.toggle("two", both.length > 1);
    panes[1].element.hidden = both.length < 2;
    const titled = (side) => (state.compare ? `${SWITCHES[state.compare].label}: ${said(state.compare, side[state.compare])}` : "the plane");
    both.forEach((side, k) => panes[k].begin(side, state.points, titled(side)));
    note.textContent = state.data === "own" ? "Click into the plane to put a point, or to take one away." : "";
    show();
    teach();
    count();
    const text = write(state);
    further.href = `playground.html#${text}`;
    if (whole) window.history.replaceState(null, "", text ? `#${text}` : window.location.pathname + window.location.search);
  }

  /* The lesson's sentence before, and once it has run, the one after. */
  function teach() {
    const each = taught();
    lesson.hidden = !each;
    if (!each) return;
    const before_ = make("p", {}, make("strong", {}, "Predict: "), each.predict);
    lesson.replaceChildren(before_);
    if (!told) {
      lesson.append(make("p", { class: "hint" }, `Then press Play; it stops after ${each.steps} steps.`));
      return;
    }
    const [left, right] = panes.map(({ run }) => run.summary());
    const share = Lessons.SHARES[each.name];
    const held = each.holds({ left, right }) ? "It did so here" : "Not this time";
    lesson.append(make("p", {}, make("strong", {}, "And: "), each.after),
      make("p", { class: "hint" }, `${held} (${each.told({ left, right })}), and in ${share.held} of ${share.of} seeds.`));
  }

  // ---- time ----------------------------------------------------------------------------------
  const live = () => panes.filter(({ element }) => !element.hidden);

  function count() {
    counter.textContent = `step ${panes[0].run.step}`;
  }

  function advance() {
    live().forEach(({ run }) => run.advance());
    const each = taught();
    if (!each || told || panes[0].run.step < each.steps) return;
    told = true;
    pause();
    teach();
  }

  function draw() {
    live().forEach((pane) => pane.draw());
    count();
  }

  function frame(now) {
    if (!playing) return;
    window.requestAnimationFrame(frame);
    if (!inSight) {
      before = now;
      return;
    }
    const wanted = SPEEDS[speed.select.value];
    // A frame's time may lie before the click that asked for it.
    owed = wanted === Infinity ? wanted : Math.min(owed + (wanted * Math.max(0, now - before)) / 1000, wanted);
    before = now;
    const end = performance.now() + BUDGET * live().length;
    while (playing && owed >= 1 && performance.now() < end) {
      advance();
      owed -= 1;
    }
    if (now - drawn < (calm.matches ? 1000 : 80)) return;
    drawn = now;
    draw();
    if (live().every(({ run }) => run.broken)) stopBroken();
  }

  function stopBroken() {
    pause();
    note.textContent = "The numbers have left all bounds: nothing more can be learned from here. Restart, with a smaller rate.";
  }

  function start() {
    playing = true;
    play.textContent = "Pause";
    [owed, before] = [1, performance.now()];
    window.requestAnimationFrame(frame);
  }

  function pause() {
    playing = false;
    play.textContent = "Play";
    if (panes[0].run) draw();
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(window.location.href);
      note.textContent = "Copied: whoever opens it gets this setting.";
    } catch {
      note.textContent = `This browser copies nothing here; the setting is in the page’s address: ${window.location.href}`;
    }
  }

  // ---- begin ---------------------------------------------------------------------------------
  new IntersectionObserver(([entry]) => { inSight = entry.isIntersecting; }).observe(stage);
  new ResizeObserver(() => panes[0].run && draw()).observe(stage);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  /* Takes a setting, and says what in it there is not. A lesson's name alone is its setting. */
  function adopt(text) {
    const { state: found, refused } = read(text);
    state = found;
    if (taught() && write(state) === `lesson=${state.lesson}`) Object.assign(state, taught().state);
    else if (taught() && !state.compare) state.lesson = null; // changed to one pane: it compares two
    if (state.lesson && !taught()) {
      refused.push(`lesson=${state.lesson}`);
      state.lesson = null;
    }
    restart();
    if (refused.length) note.textContent = `The address has what there is not: ${refused.join(", ")}.`;
  }
  const moved = () => window.location.hash.includes("=") && adopt(window.location.hash); // else a place of the page
  if (whole) window.addEventListener("hashchange", moved);
  adopt(whole ? window.location.hash : data.setting);
});
