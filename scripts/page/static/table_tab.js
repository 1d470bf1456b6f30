// The tab "Table": how far a run is, and its results, which are sorted and filtered here.

let results = null;
let sorted = { column: null, descending: false };

const bar = el("progress", { class: "rf-progress", max: 1, value: 0, "aria-label": "Progress" });
const status = el("p", { class: "rf-status", role: "status" }, "No table is scored yet.");
const problem = el("p", { class: "rf-problem", role: "alert" });
const entity = el("select", { id: "rf-entity" }, el("option", { value: "" }, "all"));
const least = el("input", { id: "rf-least", type: "range", min: 0, max: 99, step: 1, value: 0 });
const leastValue = el("output", { for: "rf-least", class: "rf-slider-value" }, "0.00");
const answered = el("input", { id: "rf-answered", type: "checkbox" });
const count = el("span", { class: "rf-note", role: "status" });
const body = el("tbody", {});
const head = el("tr", {});
const scroller = el(
  "div",
  { class: "rf-scroller", tabindex: 0, role: "region", "aria-label": "Results" },
  el("table", { class: "rf-results" }, el("caption", { class: "rf-hidden" }, "Results"), el("thead", {}, head), body),
);
element.querySelector(".rf-table-tab").append(
  bar,
  status,
  problem,
  el(
    "div",
    { class: "rf-filters" },
    el("label", { for: "rf-entity" }, "Entity ", entity),
    el("label", { for: "rf-least" }, "Minimum confidence ", least, leastValue),
    el("label", { for: "rf-answered" }, answered, " only rows with an answer"),
    count,
  ),
  scroller,
);
for (const control of [entity, answered]) control.addEventListener("change", render);
least.addEventListener("input", render);
watch("value", take);
if (props.value) take();

function take() {
  const sent = props.value;
  if (!sent) return;
  problem.textContent = sent.error ?? "";
  if (sent.progress) {
    const { done, total, rate, left } = sent.progress;
    bar.max = Math.max(total, 1);
    bar.value = done;
    status.textContent = total
      ? `${done} of ${total} photos, ${rate.toFixed(1)} a second, ${left === null ? "time left not known yet" : `${duration(left)} left`}`
      : "Starting ...";
    return;
  }
  if (sent.error) {
    bar.value = 0;
    status.textContent = "";
    return;
  }
  bar.max = bar.value = 1;
  status.textContent = sent.summary;
  results = sent.results;
  sorted = { column: null, descending: false };
  const asked = [...new Set(results.rows.map((row) => row.asked))].map((name) => ({ name, label: name }));
  const choices = results.columns[0]?.name === "answer" ? asked : results.columns;
  entity.replaceChildren(el("option", { value: "" }, "all"), ...choices.map(({ name, label }) => el("option", { value: name }, label)));
  render();
}

function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** The answer in a cell; empty below the slider. */
function answerIn(row, column) {
  const answer = row.answers[column];
  if (!answer?.prediction || answer.confidence < least.valueAsNumber / 100) return null;
  return answer;
}

function render() {
  leastValue.textContent = (least.valueAsNumber / 100).toFixed(2);
  if (!results) return;
  const byQuestion = results.columns[0]?.name === "answer";
  const columns = byQuestion ? results.columns : results.columns.filter((c) => !entity.value || c.name === entity.value);
  const rows = results.rows
    .filter((row) => !byQuestion || !entity.value || row.asked === entity.value)
    .filter((row) => !answered.checked || columns.some((column) => answerIn(row, column.name)));
  if (sorted.column !== null) rows.sort(compare);
  count.textContent = `${rows.length} of ${results.rows.length} rows`;
  const focused = document.activeElement?.dataset?.column;
  const heads = [["image", "Photo"], ...(byQuestion ? [["asked", "Entity"]] : []), ...columns.map((c) => [c.name, c.label])];
  head.replaceChildren(...heads.map(([name, label]) => columnHead(name, label)));
  body.replaceChildren(...rows.map((row) => resultRow(row, columns, byQuestion)));
  if (focused) head.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
}

function columnHead(name, label) {
  const isSorted = sorted.column === name;
  const order = isSorted ? (sorted.descending ? "descending" : "ascending") : "none";
  return el(
    "th",
    { scope: "col", "aria-sort": order },
    el(
      "button",
      {
        type: "button",
        class: "rf-sort",
        "data-column": name,
        click() {
          sorted = { column: name, descending: isSorted && !sorted.descending };
          render();
        },
      },
      label,
      el("span", { "aria-hidden": "true" }, isSorted ? (sorted.descending ? " \u25BC" : " \u25B2") : ""),
    ),
  );
}

function resultRow(row, columns, byQuestion) {
  const picture = row.thumbnail ? el("img", { src: row.thumbnail, alt: "", loading: "lazy" }) : el("span", { class: "rf-no-picture" });
  return el(
    "tr",
    {},
    el("th", { scope: "row" }, el("span", { class: "rf-thumbnail" }, picture), el("span", { class: "rf-file" }, row.image)),
    byQuestion && el("td", {}, row.asked),
    row.error
      ? el("td", { colspan: columns.length, class: "rf-problem" }, row.error)
      : columns.map((column) => {
          const answer = answerIn(row, column.name);
          return el("td", {}, answer && [el("span", { class: "rf-cell" }, answer.prediction), confidenceBar(answer.confidence)]);
        }),
  );
}

/** By amount where both have one, else by text; rows without an answer come last. */
function compare(one, other) {
  const direction = sorted.descending ? -1 : 1;
  if (sorted.column === "image" || sorted.column === "asked") {
    return direction * one[sorted.column].localeCompare(other[sorted.column], undefined, { numeric: true });
  }
  const [first, second] = [answerIn(one, sorted.column), answerIn(other, sorted.column)];
  if (!first || !second) return Number(!first) - Number(!second);
  if (first.amount !== null && second.amount !== null) return direction * (first.amount - second.amount);
  return direction * first.prediction.localeCompare(second.prediction);
}
