// The tab "Compare": one photo, two rows side by side.

let photo = null;
const status = el("p", { class: "rf-status", role: "status" });
const problem = el("p", { class: "rf-problem", role: "alert" });
const picker = tabPicker(setBusy, showProblem);
const heads = [el("th", { scope: "col", class: "rf-first" }, "First"), el("th", { scope: "col", class: "rf-second" }, "Second")];
const rows = new Map();
const table = el(
  "table",
  { class: "rf-row rf-compared" },
  el("caption", { class: "rf-hidden" }, "Two rows of the photo"),
  el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Entity"), ...heads)),
  el(
    "tbody",
    {},
    props.entities.map((entity) => {
      const cells = [el("td", { class: "rf-answer" }), el("td", { class: "rf-answer" })];
      const mark = el("span", { class: "rf-mark" });
      const line = el("tr", { "data-entity": entity.name }, el("th", { scope: "row" }, entity.label, mark), ...cells);
      line.addEventListener("mouseenter", () => light(entity.name));
      line.addEventListener("mouseleave", () => light(null));
      rows.set(entity.name, { line, cells, mark });
      return line;
    }),
  ),
);
element.querySelector(".rf-compare-tab").append(
  el("div", { class: "rf-left" }, picker.root, status, problem),
  el("div", { class: "rf-right" }, table),
);
watch("value", take);
if (props.value) take();

function setBusy() {
  problem.textContent = "";
  status.textContent = "Reading twice ...";
}

function showProblem(message) {
  status.textContent = "";
  problem.textContent = message;
}

function take() {
  const sent = props.value;
  if (!sent) return;
  if (sent.busy) {
    setBusy();
    return;
  }
  if (sent.photo) {
    photo = sent.photo;
    picker.show(photo);
  }
  if (sent.photo === false) {
    photo = null;
    picker.clear();
  }
  if (sent.error) showProblem(sent.error);
  else {
    problem.textContent = "";
    status.textContent = sent.summary;
  }
  (sent.sides ?? ["First", "Second"]).forEach((text, side) => (heads[side].textContent = text));
  const compared = new Map((sent.rows ?? []).map((row) => [row.name, row]));
  for (const [name, { line, cells, mark }] of rows) {
    const row = compared.get(name);
    line.classList.toggle("rf-differs", Boolean(row?.differs));
    mark.textContent = row?.differs ? " differs" : "";
    cells.forEach((cell, side) => cell.replaceChildren(...(row ? answerOf(side === 0 ? row.first : row.second, name) : [])));
  }
  const boxes = (sent.rows ?? []).flatMap((row) =>
    ["first", "second"]
      .filter((side) => row[side].evidence)
      .map((side) => ({ key: row.name, side, label: `${row.label}: ${row[side].prediction} (${side})`, evidence: row[side].evidence })),
  );
  if (photo) drawBoxes(picker.boxes, boxes, photo, light);
}

function answerOf(answer, name) {
  const shown = answer.evidence
    ? el("button", { type: "button", class: "rf-value", focus: () => light(name), blur: () => light(null) }, answer.prediction)
    : el("span", { class: answer.prediction ? "rf-value" : "rf-value rf-empty" }, answer.prediction || emptyText(answer));
  return [shown, confidenceBar(answer.confidence, !answer.prediction)];
}

function light(name) {
  for (const [other, { line }] of rows) line.classList.toggle("rf-lit", other === name);
  for (const box of picker.boxes.children) box.classList.toggle("rf-lit", box.dataset.key === name);
}
