/* What the interactive pieces of the book share. A piece is registered under a name; every
 * <div class="touch" data-touch="name"> of the page becomes one. Until it works, and where scripts
 * are off, the still picture inside stays.
 */
"use strict";

window.Touch = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  /* An element with attributes, and children that are elements or texts. */
  function make(tag, attributes = {}, ...children) {
    const drawn = ["svg", "path", "line", "circle", "rect", "text", "g"].includes(tag);
    const element = drawn ? document.createElementNS(SVG, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  let count = 0;
  /* An id that nothing else on the page has. */
  const fresh = () => `touch-${++count}`;

  /* A labelled slider: {row, input, value()}; `changed` gets the value, `show` says it in words. */
  function slider(label, { min, max, step, value, show = String }, changed) {
    const id = fresh();
    const said = make("output", { for: id }, show(value));
    const input = make("input", { type: "range", id, min, max, step, value, "aria-valuetext": show(value) });
    input.addEventListener("input", () => {
      said.textContent = show(Number(input.value));
      input.setAttribute("aria-valuetext", said.textContent);
      changed(Number(input.value));
    });
    const row = make("div", { class: "control" }, make("label", { for: id }, label), input, said);
    return { row, input, value: () => Number(input.value) };
  }

  const button = (label, click) => make("button", { type: "button", click }, label);

  /* One choice of several: {row, value()}; at first the one that is named. */
  function choice(legend, names, changed, first = names[0]) {
    const group = fresh();
    const inputs = names.map((name) =>
      make("input", { type: "radio", name: group, value: name, ...(name === first ? { checked: "" } : {}) }));
    inputs.forEach((input) => input.addEventListener("change", () => changed(input.value)));
    const labels = inputs.map((input, k) => make("label", {}, input, ` ${names[k]}`));
    const row = make("fieldset", {}, make("legend", {}, legend), ...labels);
    return { row, value: () => inputs.find((input) => input.checked).value };
  }

  /* A canvas of so many pixels, shown at so many. */
  function canvas(pixels, shown, label) {
    const made = make("canvas", { width: pixels, height: pixels, role: "img", "aria-label": label });
    made.style.width = `${shown}px`;
    return made;
  }

  /* Numbers in [-1, 1], [side, side, 3], onto a canvas of that side. */
  function paint(target, numbers, side) {
    const image = new ImageData(side, side);
    for (let k = 0; k < side * side; k++) {
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = Math.round((numbers[3 * k + c] + 1) * 127.5);
      image.data[4 * k + 3] = 255;
    }
    target.getContext("2d").putImageData(image, 0, 0);
  }

  const pieces = {};
  /* `build` gets (the piece's data, a place to build in) and may return a promise. */
  function register(name, build) {
    pieces[name] = build;
  }

  async function mount(place) {
    const build = pieces[place.dataset.touch];
    const data = place.querySelector("script[type='application/json']");
    const inside = make("div", { class: "touch-live" });
    try {
      await build(data ? JSON.parse(data.textContent) : null, inside);
    } catch (error) {
      place.append(make("p", { class: "said" }, `This browser shows the still picture: ${error.message}.`));
      return;
    }
    place.querySelector(".touch-still")?.remove();
    place.append(inside);
    place.dataset.ready = "true";
  }

  document.addEventListener("DOMContentLoaded", () =>
    document.querySelectorAll(".touch[data-touch]").forEach(mount));

  return { make, fresh, slider, button, choice, canvas, paint, register };
})();
