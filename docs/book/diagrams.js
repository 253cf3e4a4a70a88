// Draws the blocks of Mermaid in the book. A block that cannot be drawn keeps its text and says why.
(async () => {
  const dark = ["navy", "coal", "ayu"].some((theme) => document.documentElement.classList.contains(theme));
  mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "default", er: { useMaxWidth: false } });
  const blocks = document.querySelectorAll("code.language-mermaid");
  let drawn = 0;
  for (const [index, block] of [...blocks].entries()) {
    const picture = document.createElement("div");
    picture.className = "diagram";
    try {
      picture.innerHTML = (await mermaid.render(`diagram-${index}`, block.textContent)).svg;
      (block.closest("pre") ?? block).replaceWith(picture);
      drawn += 1;
    } catch (error) {
      picture.className = "diagram-error";
      picture.textContent = String(error);
      (block.closest("pre") ?? block).before(picture);
    }
  }
  document.body.dataset.diagrams = `${drawn} of ${blocks.length}`;
})();
