// What the threshold explorer draws: histograms with a moving line, and ROC curves.
// Names come from other people's files, so they are only ever set as text.
const explorerDrawings = (() => {
  const { percent, score, apart } = explorerCounts;
  const SVG = "http://www.w3.org/2000/svg";
  const DASHES = ["", "8 4", "2 3", "10 3 2 3", "5 2", "1 4"];
  const STRIP = { head: 19, bars: 40, gap: 11 }; // px of one histogram

  function element(name, attributes = {}, text = "") {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  }

  function html(name, text = "", attributes = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function row(name, ...cells) {
    const made = html("tr");
    const head = html("th", name, { scope: "row", dir: "auto" });
    made.append(head, ...cells.map((cell) => html("td", cell)));
    return made;
  }

  function options(select, names) {
    select.replaceChildren(...names.map((name, i) => html("option", name, { value: i })));
  }

  const shortened = (text, width) => {
    const letters = [...text];
    const room = Math.max(Math.floor(width / 6.6), 4);
    return apart(letters.length > room ? `${letters.slice(0, room - 1).join("")}…` : text);
  };

  /** Round numbers within a range, about as many as wanted. */
  function ticks([low, high], wanted) {
    const raw = (high - low) / wanted || 1;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((k) => k * power).find((value) => value >= raw);
    const first = Math.ceil(low / step);
    const many = Math.max(Math.floor(high / step) - first + 1, 0);
    return Array.from({ length: many }, (_, i) => (first + i) * step);
  }

  // Drawings: each returns what moves it to another edge.

  /** One histogram of a source as a path, the highest bar of height `STRIP.bars`. */
  function histogram(source, run, width) {
    const [low, high] = run.axis;
    // Bars of whole steps between the even edges, or they would hold now more of them, now fewer.
    const bars = new Float64Array(width < 480 ? 50 : 100);
    source.counts.forEach((n, i) => {
      const middle = (run.edges[i] + run.edges[i + 1]) / 2;
      const place = Math.floor((middle - low) / (high - low || 1) * bars.length);
      bars[Math.min(Math.max(place, 0), bars.length - 1)] += n;
    });
    const most = Math.max(...bars) || 1;
    const step = width / bars.length;
    const points = Array.from(bars, (n, i) => `H${i * step}V${-STRIP.bars * n / most}`);
    return `M0 0${points.join("")}H${width}V0Z`;
  }

  /** Where the labels of marked edges go, so that none hides another: rows from the top. */
  function labelled(marks, x, width) {
    const ends = [];
    return marks.map((mark) => {
      const text = mark.name;
      const wide = 7 * text.length;
      const at = Math.min(Math.max(x(mark.edge) - wide / 2, 0), width - wide);
      let line = ends.findIndex((end) => end + 6 < at);
      if (line < 0) line = ends.push(0) - 1;
      ends[line] = at + wide;
      return { ...mark, text, at, line };
    });
  }

  function drawHistograms(place, run, id, choose) {
    const width = Math.max(place.clientWidth, 200) - 2;
    const [low, high] = run.axis;
    const x = (i) => Math.min(Math.max((run.edges[i] - low) / (high - low || 1), 0), 1) * width;
    const marks = labelled([...run.marks].sort((a, b) => a.edge - b.edge), x, width);
    const top = 16 * (Math.max(...marks.map((mark) => mark.line)) + 1) + 4;
    const each = STRIP.head + STRIP.bars + STRIP.gap;
    const bottom = top + each * run.sources.length;
    const drawing = element("svg", { width: width + 2, height: bottom + 34, role: "img" });
    const clip = element("clipPath", { id });
    const solid = element("rect", { y: -STRIP.bars, height: STRIP.bars, width: width + 1 });
    clip.append(solid);
    drawing.append(clip);
    const line = element("line", { class: "cut", y1: 0, y2: bottom });
    const words = element("g"); // above the line, which must not strike them through
    for (const mark of marks) {
      drawing.append(
        element("line", { class: "mark", x1: x(mark.edge), x2: x(mark.edge), y1: 16 * mark.line + 14, y2: bottom }));
      words.append(element("text", { class: "quiet", x: mark.at, y: 16 * mark.line + 11 }, mark.text));
    }
    const answers = run.sources.map((source, i) => {
      const path = histogram(source, run, width);
      const ceiling = top + each * i + STRIP.head;
      const strip = element("g", { class: `role-${source.role}`, transform: `translate(1 ${ceiling + STRIP.bars})` });
      const answer = element("text", { x: width, y: ceiling - 5, "text-anchor": "end" });
      strip.append(
        element("path", { class: "faint", d: path }),
        element("path", { class: "solid", d: path, "clip-path": `url(#${id})` }),
        element("path", { class: "outline", d: path }));
      words.append(element("text", { class: "name", y: ceiling - 5 }, shortened(source.name, width - 110)), answer);
      drawing.append(strip);
      return answer;
    });
    drawing.append(line, words);
    for (const value of ticks(run.axis, Math.max(width / 90, 3))) {
      const at = (value - low) / (high - low || 1) * width + 1;
      const anchor = at < 16 ? "start" : at > width - 16 ? "end" : "middle";
      drawing.append(element("text", { class: "quiet", x: at, y: bottom + 12, "text-anchor": anchor }, score(value)));
    }
    drawing.append(element("text", { x: width / 2, y: bottom + 29, "text-anchor": "middle" }, "score"));
    place.replaceChildren(drawing);
    follow(drawing, (at) => choose(nearest(run.edges, low + (at - 1) / width * (high - low))));
    return (index, summary, shares) => {
      solid.setAttribute("x", x(index));
      for (const end of ["x1", "x2"]) line.setAttribute(end, x(index) + 1);
      shares.forEach((share, i) => { answers[i].textContent = `${percent(share)} correct`; });
      drawing.setAttribute("aria-label", `Histograms of scores. ${summary}`);
    };
  }

  /** Call back with the place of a pointer that is held down. */
  function follow(drawing, moved) {
    const report = (event) => moved(event.clientX - drawing.getBoundingClientRect().left);
    drawing.addEventListener("pointerdown", (event) => {
      drawing.setPointerCapture(event.pointerId);
      report(event);
    });
    drawing.addEventListener("pointermove", (event) => { if (event.buttons) report(event); });
  }

  function nearest(edges, value) {
    let best = 0;
    edges.forEach((edge, i) => { if (Math.abs(edge - value) < Math.abs(edges[best] - value)) best = i; });
    return best;
  }

  function drawRoc(place, fakes, reals) {
    const size = Math.min(Math.max(place.clientWidth, 200), 400);
    const box = { left: 46, top: 6, side: size - 60 };
    const x = (share) => box.left + share * box.side;
    const y = (share) => box.top + (1 - share) * box.side;
    const drawing = element("svg", { width: size, height: box.top + box.side + 40, role: "img" });
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      drawing.append(
        element("line", { class: "grid", x1: x(share), x2: x(share), y1: y(0), y2: y(1) }),
        element("line", { class: "grid", x1: x(0), x2: x(1), y1: y(share), y2: y(share) }),
        element("text", { class: "quiet", x: x(share), y: y(0) + 15, "text-anchor": "middle" }, 100 * share),
        element("text", { class: "quiet", x: x(0) - 5, y: y(share) + 4, "text-anchor": "end" }, 100 * share));
    }
    drawing.append(
      element("line", { class: "mark", x1: x(0), x2: x(1), y1: y(0), y2: y(1) }),
      element("text", { x: x(0.5), y: y(0) + 33, "text-anchor": "middle" }, "in-distribution reals flagged, %"),
      element("text", { transform: `translate(12 ${y(0.5)}) rotate(-90)`, "text-anchor": "middle" }, "fakes caught, %"));
    const points = fakes.map((fake, n) => {
      const path = fake.above.map((k, i) => `${x(reals.above[i] / reals.n)} ${y(k / fake.n)}`);
      const point = element("circle", { class: `point role-${fake.role}`, r: 5.5 });
      drawing.append(element("polyline", { class: `curve role-${fake.role}`,
        points: path.join(","), "stroke-dasharray": DASHES[n % DASHES.length] }), point);
      return point;
    });
    place.replaceChildren(drawing);
    return (index, summary) => {
      points.forEach((point, n) => {
        point.setAttribute("cx", x(reals.above[index] / reals.n));
        point.setAttribute("cy", y(fakes[n].above[index] / fakes[n].n));
      });
      drawing.setAttribute("aria-label", `ROC curves. ${summary}`);
    };
  }

  return { DASHES, element, html, row, options, nearest, drawHistograms, drawRoc };
})();
