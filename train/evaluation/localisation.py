"""Whether answers were read where they say: their boxes against the words of another reader."""

from collections.abc import Iterable, Mapping, Sequence

from resformer.model.ocr.boxes import Box
from resformer.model.ocr.text_line import TextLine
from resformer.model.prediction import Prediction
from resformer.model.quantities.candidates import find_candidates
from resformer.model.schema.schema import Entity

__all__ = ["evidence_share", "on_the_spot"]


def on_the_spot(prediction: Prediction, entity: Entity, lines: Sequence[TextLine]) -> bool | None:
    """Whether the answer's box and a print of that answer among `lines` hold each other's centre.

    None where there is nothing to compare: no answer, an answer without a box, or `lines` do not hold it.
    """
    if not prediction.prediction or prediction.evidence is None:
        return None
    found = find_candidates(lines, entity.units, ranges=entity.ranges)
    prints = [c.box for c in found if c.box and str(c.quantity) == prediction.prediction]
    x0, y0, x1, y1 = prediction.evidence
    box = (x0, y0, x1, y1)
    return any(_holds(box, print_) or _holds(print_, box) for print_ in prints) if prints else None


def evidence_share(
    answers: Iterable[tuple[str, Entity, Prediction]], lines: Mapping[str, Sequence[TextLine]]
) -> tuple[float, int]:
    """Share of answers on the spot, and of how many that could be compared.

    Args:
        answers: photo, entity and prediction.
        lines: by photo, the words of another reader in pixels of the same photo.

    Raises ValueError: no answer could be compared.
    """
    spots = [on_the_spot(prediction, entity, lines[photo]) for photo, entity, prediction in answers]
    compared = [spot for spot in spots if spot is not None]
    if not compared:
        raise ValueError("no answer has a box and stands among the other reader's words")
    return sum(compared) / len(compared), len(compared)


def _holds(outer: Box, inner: Box) -> bool:
    x, y = (inner[0] + inner[2]) / 2, (inner[1] + inner[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]
