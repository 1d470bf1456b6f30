// The answer that the predictor gives for a min_confidence, from what the page got once: each answer as it is
// calibrated, and as a best guess with the probabilities of a path's levels. See row_view.py.

const EMPTY_ANSWER = { prediction: "", value: null, unit: null, si: null, evidence: null };

/** The six keys of a prediction. `minConfidence` null: as calibrated. */
function answerAt(answer, minConfidence) {
  if (minConfidence === null) return answer.calibrated;
  const { guess } = answer;
  const empty = { ...EMPTY_ANSWER, confidence: answer.empty_confidence };
  if (!guess.prediction) return empty;
  if (answer.kind !== "path") return guess.confidence < minConfidence ? empty : guess;
  let depth = 0;
  while (depth < answer.levels.length && answer.levels[depth].confidence >= minConfidence) depth += 1;
  if (depth === 0) return empty;
  const { prediction, confidence } = answer.levels[depth - 1];
  return { ...guess, prediction, confidence: Number(confidence.toFixed(4)), value: guess.value.slice(0, depth) };
}

/** What stands in place of an empty answer: there is nothing, or there is something that was not sure enough. */
function emptyText(shown) {
  return shown.confidence < 0.5 ? "not sure enough" : "not shown";
}

/** A cell of a CSV file. */
function csvCell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A header and a row: the photo, then each answer and its confidence. */
function csvRow(photoName, names, predictions) {
  const header = ["image", ...names.flatMap((name) => [name, `${name}_confidence`])];
  const row = [photoName, ...names.flatMap((name) => [predictions[name].prediction, predictions[name].confidence])];
  return `${header.map(csvCell).join(",")}\n${row.map(csvCell).join(",")}\n`;
}
