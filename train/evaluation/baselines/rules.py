"""Rules that choose one of the candidates."""

from collections.abc import Sequence

from resformer.model.ocr.page import Page
from resformer.model.quantities.candidate_features import cue_closeness
from resformer.model.quantities.quantity import Candidate
from resformer.model.schema.schema import Entity, Schema

__all__ = ["Rules"]

# The units in which packs state an amount first; others repeat it.
USUAL_UNITS = {
    *("gram", "kilogram", "pound", "ounce", "centimetre", "inch", "millimetre", "volt", "watt"),
    *("millilitre", "litre", "fluid ounce"),
}


class Rules:
    """Chooses the best candidate by fixed rules.

    These are, first to last: a cue word of the entity near it and none of a rival entity; a usual unit; neither a bare
    number nor part of a range; the largest text.
    """

    def __init__(self, schema: Schema):
        self._schema = schema

    def choose(self, page: Page, entity: Entity, candidates: Sequence[Candidate]) -> str:
        """The canonical answer; "" without candidates."""
        if not candidates:
            return ""
        rivals = [e for e in self._schema.entities if e != entity and set(e.units) & set(entity.units)]
        cue = cue_closeness(page, candidates, entity)[:, :3].max(axis=1)
        rival_cues = [cue_closeness(page, candidates, rival)[:, :3].max(axis=1) for rival in rivals]

        def sort_key(i: int) -> tuple[float, ...]:
            c = candidates[i]
            rival = max((closeness[i] for closeness in rival_cues), default=0.0)
            return (
                float(cue[i] > 0.4) - float(rival > max(0.4, cue[i])) + float(c.axis == entity.name[0]),
                float(c.quantity.unit in USUAL_UNITS),
                -float(c.unit_from_context or c.range_member),
                c.text_height,
            )

        return str(candidates[max(range(len(candidates)), key=sort_key)].quantity)
