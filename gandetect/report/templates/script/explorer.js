// The threshold explorer: choose a detector and a threshold, and see all that follows at once.
{
  const { above, wilson, calibrated, leastImages, cost, cheapest, fixed, decimals, percent, count, amount, score, perHundred, listing, apart } = explorerCounts;
  const { DASHES, element, html, row, options, nearest, drawHistograms, drawRoc } = explorerDrawings;
  let made = 0; // explorers in this page, to keep ids apart

  /** State in, page out. */
  function explore(root) {
    const data = JSON.parse(root.querySelector("script").textContent);
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    const id = `explorer-clip-${++made}`;
    let run, market, move = [], later = 0, index = 0;
    let rule = { mark: "calibrated" }; // what chose the threshold, so that another detector can follow

    const counted = (source) => ({ ...source, above: above(source.counts), n: source.counts.reduce((a, b) => a + b, 0) });
    const detector = () => data.detectors[part("detector").value];
    const ofRole = (...roles) => run.sources.filter((source) => roles.includes(source.role));
    const pooled = (sources) => ({
      above: sources.reduce((sum, source) => sum + source.above[index], 0),
      n: sources.reduce((sum, source) => sum + source.n, 0),
    });
    const right = (source) => (source.generated ? source.above[index] : source.n - source.above[index]);
    const marked = (name) => run.marks.find((mark) => mark.name === name)?.edge ?? -1;

    function chooseDetector() {
      options(part("seed"), detector().runs.map((one) => `seed ${one.seed}`));
      part("seed-field").hidden = detector().runs.length < 2;
      chooseRun();
    }

    function chooseRun() {
      const chosen = detector().runs[part("seed").value];
      run = { ...chosen, sources: chosen.sources.map(counted),
        alarms: chosen.alarms && counted(chosen.alarms), costs: chosen.costs && chosen.costs.map(counted) };
      index = marked("native");
      part("threshold").max = run.edges.length - 1;
      part("marks").replaceChildren(...run.marks.map((mark) => {
        const button = html("button", data.marks[mark.name], { type: "button", "data-mark": mark.name });
        button.addEventListener("click", () => apply({ mark: mark.name }));
        return button;
      }));
      part("allowed-field").hidden = !run.alarms;
      part("cheapest").hidden = !run.costs;
      for (const [name, wanted] of [["fakes", true], ["reals", false]]) {
        const kept = part(name).selectedOptions[0]?.textContent;
        const sources = run.sources.filter((source) => source.generated === wanted && source.role !== "training");
        options(part(name), sources.map((source) => source.name));
        part(name).value = Math.max(sources.findIndex((source) => source.name === kept), 0);
      }
      draw();
      apply(rule);
    }

    function draw() {
      const reals = ofRole("in-distribution")[0];
      const fakes = run.sources.filter((source) => source.generated);
      move = [drawHistograms(part("histograms"), run, id, (i) => apply({ cut: run.edges[i] }))];
      root.querySelector(".explorer-roc").hidden = !reals;
      if (reals) move.push(drawRoc(part("roc"), fakes, reals));
      part("legend").replaceChildren(...fakes.map((fake, n) => {
        const line = element("svg", { width: 34, height: 12, "aria-hidden": "true" });
        line.append(element("line", { class: `curve role-${fake.role}`, x2: 34, y1: 6, y2: 6, "stroke-dasharray": DASHES[n % DASHES.length] }));
        const area = fake.auroc === null ? "" : `: AUROC ${fixed(fake.auroc, 3)}`;
        const item = html("li");
        item.append(line, html("span", `${apart(fake.name)}${area}`));
        return item;
      }));
    }

    /** Put the threshold where a rule wants it. */
    function apply(wanted) {
      rule = wanted;
      if ("allowed" in rule && run.alarms) {
        const edge = calibrated(run.alarms, rule.allowed);
        part("allowed").setAttribute("aria-invalid", edge < 0);
        if (edge >= 0) index = edge;
      }
      else if (rule.cheapest && run.costs) {
        if (!market) return show(); // somebody is still typing
        const same = ["prevalence", "cost_miss", "cost_flag"].every((name) => market[name] === data.market[name]);
        index = cheapest(run.costs, market, same ? marked("cheapest") : -1);
      } else if ("cut" in rule) index = nearest(run.edges, rule.cut);
      else index = marked(marked(rule.mark) < 0 ? "native" : rule.mark);
      show();
    }

    function show() {
      const cut = run.edges[index];
      const names = run.marks.filter((mark) => mark.edge === index).map((mark) => mark.name);
      const words = `${score(cut)}${names.length ? ` (${listing(names)})` : ""}`;
      part("threshold").value = index;
      part("threshold").setAttribute("aria-valuetext", words);
      part("cut").textContent = words;
      for (const button of part("marks").children) button.setAttribute("aria-pressed", names.includes(button.dataset.mark));
      part("cheapest").setAttribute("aria-pressed", Boolean(rule.cheapest));
      const shares = run.sources.map((source) => right(source) / source.n);
      const summary = run.sources.map((source, i) => `${source.name}: ${percent(shares[i])} correct`).join("; ");
      for (const to of move) to(index, `Threshold ${words}. ${summary}.`, shares);
      showShares();
      showConfusion();
      showMarket();
      part("chosen").textContent = chosen();
      clearTimeout(later);
      // A screen reader need not speak of every edge on the way.
      later = setTimeout(() => { part("sentence").textContent = sentence(words); }, 250);
    }

    function showShares() {
      part("shares").replaceChildren(...run.sources.map((source) => {
        const digits = decimals(right(source) / source.n);
        const [low, high] = wilson(right(source), source.n, data.z).map((bound) => fixed(100 * bound, digits));
        const made = row(source.name, count(source.n), `${percent(right(source) / source.n)} (${low}\u00a0to\u00a0${high})`);
        made.className = `role-${source.role}`;
        return made;
      }));
    }

    function showConfusion() {
      const groups = [["real", pooled(ofRole("in-distribution", "held-out"))], ["generated", pooled(ofRole("own", "generated"))]];
      part("confusion").replaceChildren(...groups.map(([name, group]) => row(name, ...[group.n - group.above, group.above]
        .map((k) => (group.n ? `${count(k)} (${percent(k / group.n)})` : "none tested")))));
    }

    function showMarket() {
      const pick = (name, wanted) => {
        const known = run.sources.filter((source) => source.generated === wanted && source.role !== "training");
        return known[part(name).value];
      };
      const [fakes, reals] = [pick("fakes", true), pick("reals", false)];
      market = readMarket();
      part("market-note").textContent = market ? (run.costs
        ? `The cheapest threshold is chosen on ${run.costs[0].name} and ${run.costs[1].name}, never on test images.`
        : `No cheapest threshold: ${run.without_costs}.`)
        : "Give fakes among 100 uploads above 0 and below 100, and costs above 0.";
      part("cheapest").disabled = !market;
      if (!market) { part("market").replaceChildren(); return; }
      const [caught, flagged] = [pooled([fakes]), pooled([reals])];
      const found = data.uploads * market.prevalence * caught.above / caught.n;
      const wrong = data.uploads * (1 - market.prevalence) * flagged.above / flagged.n;
      const alarms = found + wrong;
      part("market").replaceChildren(
        row("Of 100 flagged, really fake", alarms ? perHundred(found / alarms) : "none flagged"),
        row("Images flagged, fake or real", amount(alarms)),
        row("Fakes that are missed", amount(data.uploads * market.prevalence - found)),
        row("Real images flagged", amount(wrong)),
        row("Cost", amount(cost(caught, flagged, market))),
        row("Cost of letting everything through", amount(market.missing)),
        row("Cost of flagging everything", amount(market.flagging)));
    }

    /** Prevalence, costs and what 1,000 uploads cost without a detector; null when out of range. */
    function readMarket() {
      const number = (name) => part(name).valueAsNumber;
      const share = hundredth(number("prevalence"));
      const found = { prevalence: share, cost_miss: number("cost_miss"), cost_flag: number("cost_flag") };
      const valid = { prevalence: share > 0 && share < 1, cost_miss: found.cost_miss > 0, cost_flag: found.cost_flag > 0 };
      for (const [name, good] of Object.entries(valid)) part(name).setAttribute("aria-invalid", !good);
      if (!Object.values(valid).every(Boolean)) return null;
      const many = data.uploads * share;
      return { ...found, missing: many * found.cost_miss, flagging: (data.uploads - many) * found.cost_flag };
    }

    /** What the allowed false alarms are counted on, and how many there are at this threshold. */
    function chosen() {
      if (run.cross_fitted) return "The in-distribution test reals chose the calibrated threshold, so here some more of them pass than in the tables, which judge each by a threshold that others chose.";
      if (!run.alarms) return "No share can be allowed: no calibration reals were scored.";
      if ("allowed" in rule && calibrated(run.alarms, rule.allowed) < 0)
        return `No threshold flags so few: that takes at least ${count(leastImages(rule.allowed))} ${run.alarms.name}, and there are ${count(run.alarms.n)}.`;
      const flagged = percent(run.alarms.above[index] / run.alarms.n);
      return `That share is counted on ${count(run.alarms.n)} ${run.alarms.name}, never on test images; this threshold flags ${flagged} of those.`;
    }

    function sentence(words) {
      const said = (role, sources) => {
        const shares = sources.map((source) => source.above[index] / source.n);
        const [least, most] = [Math.min(...shares), Math.max(...shares)].map(perHundred);
        return `${least === most ? most : `${least} to ${most}`} of 100 ${detector().roles[role]}`;
      };
      const all = (roles) => roles.map((role) => [role, ofRole(role)]).filter(([, sources]) => sources.length)
        .map(([role, sources]) => said(role, sources));
      const caught = all(["own", "own-other-seed", "other", "generated"]);
      const flagged = all(["in-distribution", "held-out", "other-source"]);
      const parts = [caught.length && `catches ${listing(caught)}`, flagged.length && `flags ${listing(flagged)}`];
      return `At threshold ${words} ${apart(detector().called)} ${parts.filter(Boolean).join(", and ")}.`;
    }

    function allow() {
      const share = hundredth(part("allowed").valueAsNumber);
      const valid = share > 0 && share < 1;
      part("allowed").setAttribute("aria-invalid", !valid);
      if (valid) apply({ allowed: share });
    }

    /** So that 2 % is the very number 0.02. */
    function hundredth(percentage) {
      return Number((percentage / 100).toPrecision(15));
    }

    const plain = (value) => Number(value.toPrecision(12));
    options(part("detector"), data.detectors.map((one) => one.name));
    part("allowed").value = plain(100 * data.allowed);
    part("prevalence").value = plain(100 * data.market.prevalence);
    for (const name of ["cost_miss", "cost_flag"]) part(name).value = data.market[name];
    part("detector-field").hidden = data.detectors.length < 2;
    part("detector").addEventListener("change", chooseDetector);
    part("seed").addEventListener("change", chooseRun);
    part("threshold").addEventListener("input", () => apply({ cut: run.edges[part("threshold").value] }));
    part("allowed").addEventListener("input", allow);
    part("cheapest").addEventListener("click", () => apply({ cheapest: true }));
    for (const name of ["prevalence", "cost_miss", "cost_flag"])
      part(name).addEventListener("input", () => { market = readMarket(); apply(rule); });
    for (const name of ["fakes", "reals"]) part(name).addEventListener("change", show);

    root.querySelector(".explorer-widget").hidden = false;
    chooseDetector();
    let width = 0;
    new ResizeObserver(() => {
      const now = part("histograms").clientWidth;
      if (now === width) return;
      width = now;
      draw();
      show();
    }).observe(part("histograms"));
    root.querySelector(".explorer-instead").className = "on-paper";
  }

  for (const root of document.querySelectorAll(".explorer")) explore(root);
}
