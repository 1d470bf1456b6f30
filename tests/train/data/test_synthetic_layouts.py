"""Made-up labels: their answers are on them, among amounts in other roles."""

import numpy as np

from resformer.model.quantities.candidates import find_candidates
from resformer.model.quantities.parser import find_quantities
from resformer.model.schema.schema import Schema
from resformer.train.data.label_phrases import LANGUAGES
from resformer.train.data.synthetic_layouts import generate, role_texts

SCHEMA = Schema.load()


def test_every_answer_is_a_candidate_on_its_layout() -> None:
    layouts = generate(150, 0, SCHEMA, titles=0.3)
    assert [bool(layout.title) for layout in layouts] == [True] * 45 + [False] * 105
    questions = [(layout, q) for layout in layouts for q in layout.questions]
    assert {q.entity.name for _, q in questions if q.accepted} == {entity.name for entity in SCHEMA.quantities}
    for layout, question in questions:
        candidates = {c.quantity for c in find_candidates(layout.lines, question.entity.units, layout.title)}
        assert set(question.accepted) <= candidates, layout.title or [line.text for line in layout.lines]


def test_labels_state_amounts_in_other_roles() -> None:
    rng = np.random.default_rng(0)
    texts = "\n".join(text for _ in range(3000) for text in role_texts(list(SCHEMA.quantities), rng)[0])
    for words in ("Drained weight", "Abtropfgewicht", "remplace", "Porción", "Udźwig", "Breite", "W x D", "±1"):
        assert words in texts, words


def test_titles_are_in_other_scripts_too() -> None:
    titles = [layout.title.lower() for layout in generate(1000, 1, SCHEMA, titles=1.0)]
    for words in ("чайник", "大米", "고추장", "basmati", "nettogewicht", "net wt", "gross weight"):
        assert any(words in title for title in titles), words


def test_multi_packs_are_answered_by_the_printed_total_or_the_size_of_one() -> None:
    seen = set()
    for layout in generate(3000, 2, SCHEMA):
        for question in (q for q in layout.questions if q.entity.name in ("item_weight", "item_volume")):
            matches = [m for line in layout.lines for m in find_quantities(line.text, question.entity.units)]
            totals = [m.quantity for m in matches if m.multipack_total]
            singles = [m.quantity for m in matches if not m.multipack_total]
            packs = [line.text for line in layout.lines if "bottles of" in line.text]
            # An ounce may be of either dimension.
            if len(totals) != 1 or len(packs) != 1 or "oz" in packs[0].lower():
                continue
            is_printed = totals[0] in singles
            seen.add(is_printed)
            assert question.accepted, packs
            assert (question.accepted[0] == totals[0]) == is_printed, packs
    assert seen == {True, False}


def test_languages_have_the_same_entities() -> None:
    first, *others = LANGUAGES
    for language in others:
        assert (language.phrases.keys(), language.distractors.keys()) == (
            first.phrases.keys(),
            first.distractors.keys(),
        )
        assert all(
            "{}" in p for of_kind in (language.phrases, language.distractors) for ps in of_kind.values() for p in ps
        )
