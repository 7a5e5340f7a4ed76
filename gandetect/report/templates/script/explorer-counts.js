// Counts at an edge of binned scores, by the rules of gandetect/statistics, and how they are said.
const explorerCounts = (() => {
  /** How many scores exceed each edge: what is called generated there. */
  function above(counts) {
    const found = [0];
    for (let i = counts.length - 1; i >= 0; i--) found.push(found[found.length - 1] + counts[i]);
    return found.reverse();
  }

  /** 95 % score interval of a share (Wilson 1927). */
  function wilson(k, n, z) {
    const centre = (k + z * z / 2) / (n + z * z);
    const reach = z / (n + z * z) * Math.sqrt(k * (n - k) / n + z * z / 4);
    return [k === 0 ? 0 : centre - reach, k === n ? 1 : centre + reach];
  }

  /** The lowest edge that a new real exceeds with at most that probability, as `calibrate` chooses; -1: none. */
  const calibrated = (reals, allowed) => reals.above.findIndex((k) => (k + 1) / (reals.n + 1) <= allowed);

  /** How many calibration reals that takes, as `least_images` says. */
  function leastImages(allowed) {
    let n = Math.max(Math.ceil(1 / allowed) - 2, 1);
    while (1 / (n + 1) > allowed) n++;
    return n;
  }

  /** Cost of 1,000 uploads when these many fakes are caught and these many reals are flagged. */
  const cost = (caught, flagged, market) =>
    market.missing * (1 - caught.above / caught.n) + market.flagging * (flagged.above / flagged.n);

  /** The edge that costs least; of equally good ones the study's own, or else the highest. */
  function cheapest([fakes, reals], market, preferred) {
    const at = (i) => cost({ above: fakes.above[i], n: fakes.n },
      { above: reals.above[i], n: reals.n }, market);
    const costs = fakes.above.map((_, i) => at(i));
    const limit = Math.min(...costs) + 1e-12 * (market.missing + market.flagging);
    if (preferred >= 0 && costs[preferred] <= limit) return preferred;
    return costs.findLastIndex((value) => value <= limit);
  }

  /** Fixed decimals as Python writes them: of two equally near numbers the even one. */
  function fixed(value, digits) {
    const text = value.toFixed(digits);
    const tie = Math.abs(value * 2 ** (digits + 1)) % 2 === 1;
    const odd = Number(text[text.length - 1]) % 2 === 1;
    return tie && odd ? (Number(text) - Math.sign(value) * 10 ** -digits).toFixed(digits) : text;
  }

  /** With further decimals where it would claim all or none, as `words.percent` says it. */
  const decimals = (share) => (share <= 0 || share >= 1 ? 1
    : [1, 2, 3].find((n) => ![0, 100].includes(Number(fixed(100 * share, n)))) ?? 3);
  const percent = (share) => `${fixed(100 * share, decimals(share))} %`;
  const count = (value) => value.toLocaleString("en");
  const amount = (value) =>
    value.toLocaleString("en", value >= 100 ? { maximumFractionDigits: 0 }
      : { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const score = (value) => Number(value.toPrecision(4)).toString().replace("-", "−");

  /** How many of 100, with decimals only where rounding would claim all or none. */
  function perHundred(share) {
    const tries = [0, 1, 2].map((digits) => fixed(100 * share, digits));
    const exact = (text) => share === 0 || share === 1 || ![0, 100].includes(Number(text));
    return tries.find(exact) ?? tries[2];
  }

  function listing(parts) {
    return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
  }

  /** A name that cannot turn the direction of the text around it. */
  const apart = (name) => `\u2068${name.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd")}\u2069`;

  return { above, wilson, calibrated, leastImages, cost, cheapest, fixed, decimals, percent, count, amount, score, perHundred, listing, apart };
})();
