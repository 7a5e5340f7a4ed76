{
  // Browsers open what a link leads into by themselves, but for older ones.
  const reveal = () => {
    const chapter = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("details");
    if (!chapter || chapter.closest("nav")) return;
    chapter.open = true;
    const summary = chapter.querySelector("summary");
    summary.focus({ preventScroll: true });
    summary.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  // The same link again changes no address; the browser follows it before anything is revealed.
  addEventListener("click", (event) => {
    if (event.target.closest?.("a[href^='#']")?.hash === location.hash) setTimeout(reveal);
  });
  const chapters = [...document.querySelectorAll("details.chapter")];
  if (chapters.length) {
    const all = document.createElement("button");
    const name = () => { all.textContent = chapters.every((one) => one.open) ? "Close all chapters" : "Open all chapters"; };
    all.type = "button";
    all.addEventListener("click", () => {
      const open = !chapters.every((one) => one.open);
      for (const one of chapters) one.open = open;
    });
    for (const one of chapters) one.addEventListener("toggle", name);
    name();
    document.querySelector("nav details").append(all);
  }
  // Where nothing is cut off there is nothing to scroll, and no reason for the Tab key to stop.
  const stops = () => {
    for (const box of document.querySelectorAll(".scroll"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
  };
  stops();
  addEventListener("resize", stops);
  for (const folded of document.querySelectorAll("details")) folded.addEventListener("toggle", stops);
  for (const chosen of document.querySelectorAll(".switch > input")) chosen.addEventListener("change", stops);
  // A table of contents as long as a phone's screen would hide the answer.
  if (innerWidth < 1200) document.querySelector("nav details").open = false;
  reveal();
}
