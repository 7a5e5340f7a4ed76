{
  // What is folded would be missing on paper, but for what fills pages: pictures and long lists.
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details"))
      if (!folded.querySelector(".tiles, pre") && folded.querySelectorAll("tr").length < 60) folded.open = true;
  });
  // Where nothing is cut off there is nothing to scroll, and no reason for the Tab key to stop.
  const stops = () => {
    for (const box of document.querySelectorAll(".scroll"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
  };
  stops();
  addEventListener("resize", stops);
  for (const folded of document.querySelectorAll("details")) folded.addEventListener("toggle", stops);
  // A table of contents as long as a phone's screen would hide the answer.
  if (innerWidth < 1200) document.querySelector("nav details").open = false;
}
