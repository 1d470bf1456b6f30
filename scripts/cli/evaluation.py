"""`resformer evaluate`: scores of one label file."""

from pathlib import Path
from typing import Annotated

import typer

from resformer.model.files.whole_file import refuse_overwriting, written_whole
from resformer.scripts.cli.options import Reader, SchemaFile, Weights, reader_value

__all__ = ["evaluate"]


def evaluate(
    labels: Annotated[Path, typer.Argument(help="CSV with the answers that are right.", exists=True, dir_okay=False)],
    photos: Annotated[
        Path | None, typer.Option(help="Folder of the labelled photos.", exists=True, file_okay=False)
    ] = None,
    ocr: Annotated[
        Path | None, typer.Option(help="OCR cache of the photos, instead of a reader.", exists=True, dir_okay=False)
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="CSV (index, prediction) to score instead of a network.", exists=True, dir_okay=False),
    ] = None,
    weights: Weights = None,
    schema: SchemaFile = None,
    reader: Reader = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the scores.", dir_okay=False)] = None,
) -> None:
    """Score quantities on one label file, as the public challenge does.

    Labels have the columns `image`, `entity_name` and `entity_value`, or `accept` with all right answers, separated by
    `|`.

    Examples:

        resformer evaluate labels_val.csv --photos val/

        resformer evaluate labels_val.csv --predictions answers.csv
    """
    import json

    from resformer.model.ocr.readers import DEFAULT_READER, canonical_reader
    from resformer.train.evaluation.quantity_scores import score_label_file

    refuse_overwriting([labels, ocr, predictions, weights, schema], [out])
    score = score_label_file(
        labels,
        photos=photos,
        ocr=ocr,
        predictions=predictions,
        weights=weights,
        schema=schema,
        reader=canonical_reader(reader_value(reader) or DEFAULT_READER),
    )
    print(score.table())
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(out) as file:
            file.write(json.dumps(score.as_dict(), indent=2) + "\n")
