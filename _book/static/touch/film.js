/* The same noise, drawn again and again in training: a filmstrip that a slider scrubs. */
"use strict";

Touch.register("film", (data, place) => {
  const { make, slider, button } = Touch;
  const { frames } = data; // [{step, image: a data address}, ...]
  const last = frames.length - 1; // seen first, as early ones are mere noise
  const picture = make("img", { alt: "", class: "film", src: frames[last].image });
  picture.style.width = "min(100%, 32rem)";
  picture.style.imageRendering = "pixelated";

  function show(k) {
    picture.src = frames[k].image;
    picture.alt = `faces drawn for the same noise after ${frames[k].step} steps`;
  }

  const step = slider(
    "training", { min: 0, max: last, step: 1, value: last, show: (k) => `step ${frames[k].step}` }, show
  );
  let running = null;
  const play = button("Play", () => {
    if (running) return stop();
    play.textContent = "Stop";
    let k = 0;
    running = setInterval(() => {
      step.input.value = k;
      step.input.dispatchEvent(new Event("input"));
      if (++k > last) stop();
    }, 400);
  });
  function stop() {
    clearInterval(running);
    running = null;
    play.textContent = "Play";
  }
  place.append(picture, step.row, make("div", { class: "row-of" }, play));
  show(last);
});
