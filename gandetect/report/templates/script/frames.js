// Without this script all frames of a strip stand side by side; with it one is shown at a time.
{
  const made = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  const step = (figure) => {
    const frames = [...figure.querySelectorAll("li")];
    const words = frames.map((frame) => frame.querySelector("span"));
    const last = frames.length - 1;
    const slider = made("input", { type: "range", min: 0, max: last, step: 1, value: last });
    const shown = made("output");
    const before = made("button", { type: "button", textContent: "Previous" });
    const after = made("button", { type: "button", textContent: "Next" });

    const show = (place) => {
      slider.value = Math.min(last, Math.max(0, place));
      const now = Number(slider.value);
      frames.forEach((frame, other) => { frame.hidden = other !== now; });
      const text = words[now].textContent;
      slider.setAttribute("aria-valuetext", text);
      shown.textContent = text;
      // Not `disabled`: a button that has the focus would lose it at the end.
      before.setAttribute("aria-disabled", String(now === 0));
      after.setAttribute("aria-disabled", String(now === last));
    };

    slider.addEventListener("input", () => show(Number(slider.value)));
    before.addEventListener("click", () => show(Number(slider.value) - 1));
    after.addEventListener("click", () => show(Number(slider.value) + 1));
    for (const word of words) word.classList.add("paper-only");
    const label = made("label", {}, "Step", slider);
    const steps = made("div", { className: "steps" }, before, label, after);
    figure.classList.add("stepped");
    figure.append(shown, steps);
    show(last);
  };

  document.querySelectorAll("figure.frames.several").forEach(step);
}
