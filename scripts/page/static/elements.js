// Shared by all tabs. Texts reach the page as text nodes and attributes alone, never as HTML: titles, file names and
// answers are from strangers.

/** An element with attributes (functions are listeners) and children; null and false children are left out. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A bar for a confidence, and its number. */
function confidenceBar(confidence, faint = false) {
  if (confidence === null || confidence === undefined) return el("span", { class: "rf-confidence" });
  const fill = el("span", { class: "rf-fill" });
  fill.style.width = `${Math.round(100 * confidence)}%`;
  return el(
    "span",
    { class: faint ? "rf-confidence rf-faint" : "rf-confidence" },
    el("span", { class: "rf-bar", "aria-hidden": "true" }, fill),
    el("span", { class: "rf-number" }, confidence.toFixed(2)),
  );
}

/** A value and unit in SI, short, as a prediction is written. */
function siText(si) {
  if (!si) return "";
  const shown = (value) => String(Number(value.toPrecision(6)));
  const value = Array.isArray(si.value) ? `[${si.value.map(shown).join(", ")}]` : shown(si.value);
  return `${value} ${si.unit}`;
}

/** Copies a text; where the browser refuses, selects the element that shows it. Returns whether it was copied. */
async function copyText(text, shownIn) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(shownIn);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return false;
  }
}
