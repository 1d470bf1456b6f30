// The tab "Photo": a photo, its row, the boxes between both, and texts to copy.

const AUTOMATIC = 0; // of the slider: no min_confidence is asked for
let milliseconds = null; // that the last answer took; null: none is shown
let state = { photo: null, answers: [], copies: null, version: "" };

const status = el("p", { class: "rf-status", role: "status" });
const problem = el("p", { class: "rf-problem", role: "alert" });
const picker = tabPicker(setBusy, showProblem);

const slider = el("input", { type: "range", min: 0, max: 99, step: 1, value: 0, id: "rf-min-confidence" });
const sliderValue = el("output", { for: "rf-min-confidence", class: "rf-slider-value" });
const rows = new Map(); // entity to its row of the table
const table = el(
  "table",
  { class: "rf-row" },
  el("caption", { class: "rf-hidden" }, "The row of the photo"),
  el("thead", {}, el("tr", {}, ...["Entity", "Answer", "Confidence"].map((text) => el("th", { scope: "col" }, text)))),
  groups(props.entities).map(([group, entities]) =>
    el(
      "tbody",
      {},
      el("tr", { class: "rf-group" }, el("th", { colspan: 3, scope: "rowgroup" }, group)),
      entities.map((entity) => {
        const answer = el("td", { class: "rf-answer" });
        const confidence = el("td", {});
        const line = el("tr", { "data-entity": entity.name }, el("th", { scope: "row" }, entity.label), answer, confidence);
        line.addEventListener("mouseenter", () => light(entity.name));
        line.addEventListener("mouseleave", () => light(null));
        rows.set(entity.name, { line, answer, confidence, isOpen: false });
        return line;
      }),
    ),
  ),
);

const COPIES = { curl: "curl", python: "Python", json: "JSON", csv: "CSV row" };
let copied = "curl";
const copyShown = el("pre", { class: "rf-copied", tabindex: 0, "aria-label": "Text to copy" });
const copyButton = el("button", { type: "button", class: "rf-button", disabled: true }, "Copy");
const copyChoices = Object.entries(COPIES).map(([name, label]) =>
  el("button", { type: "button", class: "rf-button", "aria-pressed": String(name === copied), "data-copy": name, click: () => chooseCopy(name) }, label),
);
const copyNote = el("span", { class: "rf-note", role: "status" });

element.querySelector(".rf-photo-tab").append(
  el(
    "div",
    { class: "rf-left" },
    picker.root,
    status,
    problem,
    el(
      "section",
      { class: "rf-copies", "aria-label": "Copy" },
      el("div", { class: "rf-actions" }, ...copyChoices, copyButton, copyNote),
      copyShown,
    ),
  ),
  el(
    "div",
    { class: "rf-right" },
    el("div", { class: "rf-slider" }, el("label", { for: "rf-min-confidence" }, "Minimum confidence"), slider, sliderValue),
    table,
  ),
);

slider.addEventListener("input", render);
copyButton.addEventListener("click", async () => {
  const done = await copyText(copyShown.textContent, copyShown);
  copyNote.textContent = done ? "Copied." : "Press Ctrl+C to copy what is selected.";
});
watch("value", take);
if (props.value) take();
render();

function groups(entities) {
  const found = new Map();
  for (const entity of entities) found.set(entity.group, [...(found.get(entity.group) ?? []), entity]);
  return [...found];
}

function setBusy() {
  problem.textContent = "";
  milliseconds = null;
  status.textContent = "Reading ...";
  table.setAttribute("aria-busy", "true");
}

function showProblem(message) {
  milliseconds = null;
  status.textContent = "";
  problem.textContent = message;
  table.removeAttribute("aria-busy");
}

/** Takes what the page's server sent. */
function take() {
  const sent = props.value;
  if (!sent) return;
  if (sent.busy) {
    setBusy();
    return;
  }
  if (sent.photo) picker.show(sent.photo);
  if (sent.photo === false) picker.clear(); // null keeps what is shown
  const photo = sent.photo ?? state.photo;
  state = { ...state, answers: sent.answers ?? [], copies: sent.copies ?? null, version: sent.version ?? "", photo };
  if (sent.error) showProblem(sent.error);
  else {
    table.removeAttribute("aria-busy");
    problem.textContent = "";
    milliseconds = sent.milliseconds;
  }
  render();
}

function minConfidence() {
  return slider.valueAsNumber === AUTOMATIC ? null : slider.valueAsNumber / 100;
}

function render() {
  const least = minConfidence();
  sliderValue.textContent = least === null ? "automatic" : least.toFixed(2);
  slider.setAttribute("aria-valuetext", sliderValue.textContent);
  const shown = new Map(state.answers.map((answer) => [answer.name, answerAt(answer, least)]));
  const asked = new Map(state.answers.map((answer) => [answer.name, answer]));
  for (const [name, row] of rows) renderRow(name, row, asked.get(name), shown.get(name));
  if (milliseconds !== null) {
    const count = [...shown.values()].filter((answer) => answer.prediction).length;
    status.textContent = `${count} of ${shown.size} answers, ${milliseconds} ms.`;
  }
  if (state.photo) {
    const boxes = state.answers
      .filter((answer) => shown.get(answer.name).prediction && shown.get(answer.name).evidence)
      .map((answer) => {
        const { prediction, evidence } = shown.get(answer.name);
        return { key: answer.name, label: `${answer.label}: ${prediction}`, evidence };
      });
    drawBoxes(picker.boxes, boxes, state.photo, light);
  }
  renderCopy(shown);
}

function renderRow(name, row, answer, shown) {
  const hadFocus = row.answer.contains(document.activeElement);
  row.line.classList.toggle("rf-located", Boolean(shown?.prediction && shown.evidence));
  if (!answer) {
    row.answer.replaceChildren();
    row.confidence.replaceChildren();
    return;
  }
  const list = el(
    "ul",
    { class: "rf-alternatives", id: `rf-alternatives-${name}`, hidden: !row.isOpen },
    answer.alternatives.length
      ? answer.alternatives.map(({ prediction, confidence }) =>
          el("li", {}, el("span", {}, prediction || "nothing to answer"), confidenceBar(confidence)),
        )
      : el("li", {}, "no alternatives"),
  );
  const button = el(
    "button",
    {
      type: "button",
      class: shown.prediction ? "rf-value" : "rf-value rf-empty",
      "aria-expanded": String(row.isOpen),
      "aria-controls": list.id,
      title: shown.prediction || "Alternatives",
      focus: () => light(name),
      blur: () => light(null),
      click() {
        row.isOpen = !row.isOpen;
        list.hidden = !row.isOpen;
        button.setAttribute("aria-expanded", String(row.isOpen));
      },
    },
    shown.prediction || emptyText(shown),
  );
  const si = siText(shown.si);
  row.answer.replaceChildren(button, el("span", { class: "rf-si" }, si === shown.prediction ? "" : si), list);
  row.confidence.replaceChildren(confidenceBar(shown.confidence, !shown.prediction));
  if (hadFocus) button.focus();
}

/** Lights up the row and the box of an entity; null puts both out. */
function light(name) {
  for (const [other, { line }] of rows) line.classList.toggle("rf-lit", other === name);
  for (const box of picker.boxes.children) box.classList.toggle("rf-lit", box.dataset.key === name);
}

function chooseCopy(name) {
  copied = name;
  for (const button of copyChoices) button.setAttribute("aria-pressed", String(button.dataset.copy === name));
  copyNote.textContent = "";
  render();
}

function renderCopy(shown) {
  copyButton.disabled = state.answers.length === 0;
  if (copyButton.disabled) {
    copyShown.textContent = "Read a photo first.";
    return;
  }
  const predictions = Object.fromEntries(props.names.filter((name) => shown.has(name)).map((name) => [name, shown.get(name)]));
  const { width, height, name } = state.photo;
  const texts = {
    json: () => `${JSON.stringify({ model: "resformer", version: state.version, image: { width, height }, predictions }, null, 2)}\n`,
    csv: () => csvRow(name, Object.keys(predictions), predictions),
  };
  copyShown.textContent = texts[copied] ? texts[copied]() : askedText(state.copies[copied]);
}

function askedText({ before, option, after }) {
  const least = minConfidence();
  return before + (least === null ? "" : option.replace("{min_confidence}", String(least))) + after;
}
