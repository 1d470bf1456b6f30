// Names for screen readers that Gradio's groups of checkboxes and radio buttons lack.
new MutationObserver(() => {
  for (const group of document.querySelectorAll("fieldset:not([aria-label])")) {
    const label = group.querySelector("[data-testid=block-info]")?.textContent.trim();
    if (label) group.setAttribute("aria-label", label);
  }
  for (const box of document.querySelectorAll("input.select-all-checkbox:not([aria-label])")) {
    box.setAttribute("aria-label", "All");
  }
}).observe(document, { childList: true, subtree: true });
