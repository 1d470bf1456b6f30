"""What most teams do: regular expressions over the words of an OCR engine, then a rule that picks one match."""

from collections.abc import Sequence

from resformer.model.ocr.page import Page
from resformer.model.quantities.candidate_features import cue_closeness
from resformer.model.quantities.quantity import Candidate
from resformer.model.schema.schema import Entity, Schema

__all__ = ["Rules"]

# Printed first and largest on packs; the other units restate the same amount.
USUAL_UNITS = {
    *("gram", "kilogram", "pound", "ounce", "centimetre", "inch", "millimetre", "volt", "watt"),
    *("millilitre", "litre", "fluid ounce"),
}


class Rules:
    """Answers with the best candidate by these rules, first to last: a cue word of the entity near it and none of a
    rival, a usual unit, no bare number and no part of a range, the largest print."""

    def __init__(self, schema: Schema):
        self._schema = schema

    def choose(self, page: Page, entity: Entity, candidates: Sequence[Candidate]) -> str:
        """The canonical answer, empty without candidates."""
        if not candidates:
            return ""
        rivals = [e for e in self._schema.entities if e != entity and set(e.units) & set(entity.units)]
        own = cue_closeness(page, candidates, entity)[:, :3].max(axis=1)
        other = [cue_closeness(page, candidates, rival)[:, :3].max(axis=1) for rival in rivals]

        def merit(i: int) -> tuple[float, ...]:
            c = candidates[i]
            rival = max((closeness[i] for closeness in other), default=0.0)
            return (
                float(own[i] > 0.4) - float(rival > max(0.4, own[i])) + float(c.axis == entity.name[0]),
                float(c.quantity.unit in USUAL_UNITS),
                -float(c.unit_from_context or c.range_member),
                c.text_height,
            )

        return str(candidates[max(range(len(candidates)), key=merit)].quantity)
