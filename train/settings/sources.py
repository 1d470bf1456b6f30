"""What a network is trained on."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from resformer.train.settings.yaml_settings import ExistingPath, StrictModel

__all__ = [
    "LabelledSource",
    "OcrSource",
    "ProductTable",
    "ProductTables",
    "QuantitySource",
    "RowSource",
    "SyntheticSource",
]


class LabelledSource(StrictModel):
    """Photos with questions about quantities.

    Attributes:
        kind: `challenge` (labels have entity_value), `hand` (accept: all answers that are right, separated by `|`), or
            `unlabelled` (labels have questions alone; a pseudo-labeller answers them).
        labels, photos, ocr: CSV, folder, and JSON lines of the text on the photos.
        extra_ocr: a second OCR cache of the same photos, by another reader; each photo is trained on with both.
        in_priors: whether the label priors have counted these labels.
    """

    kind: Literal["challenge", "hand", "unlabelled"]
    labels: ExistingPath
    photos: ExistingPath
    ocr: ExistingPath
    extra_ocr: ExistingPath | None = None
    in_priors: bool = False


class RowSource(StrictModel):
    """Photos with whole rows: every quantity of the schema is asked, and most are not shown.

    Attributes:
        rows: JSON lines, see train.data.photo_rows.
        data: folder that `rows` names photos in.
        ocr: JSON lines of the text on the photos; several files, each of other photos.
        extra_ocr: the same by another reader; each photo is trained on with both.
    """

    kind: Literal["rows"]
    rows: ExistingPath
    data: ExistingPath
    ocr: tuple[ExistingPath, ...] = Field(min_length=1)
    extra_ocr: tuple[ExistingPath, ...] = ()


class SyntheticSource(StrictModel):
    """Layouts that are made up: text lines with labels, without photos."""

    kind: Literal["synthetic"]
    num_photos: PositiveInt


QuantitySource = Annotated[LabelledSource | RowSource | SyntheticSource, Field(discriminator="kind")]


class OcrSource(StrictModel):
    """Photos with the text on them, for the text detector and the text recognizer."""

    photos: ExistingPath
    ocr: ExistingPath


class ProductTable(StrictModel):
    """A catalogue: a CSV with a row per photo.

    Attributes:
        image_column: names the photo, with or without `.jpg`.
        title_column, description_column: text that a caller may send with the photo.
        label_columns: by entity of the schema, the column of its label or text; several columns joined by ` > ` are
            the levels of a path.
        sampling_weight: how often an epoch shows each product.
        balance_by: the entity whose rare labels are shown more often.
        label_counts: CSV (label, count) of the frequencies of `balance_by` where the network is used, if the photos
            are not as frequent.
    """

    table: ExistingPath
    photos: ExistingPath
    image_column: str
    label_columns: dict[str, str] = Field(min_length=1)
    title_column: str = ""
    description_column: str = ""
    sampling_weight: PositiveFloat = 1.0
    balance_by: str = ""
    label_counts: ExistingPath | None = None

    @model_validator(mode="after")
    def _check(self) -> "ProductTable":
        if self.label_counts and not self.balance_by:
            raise ValueError("label_counts need `balance_by`, the entity that they are of")
        if self.balance_by and self.balance_by not in self.label_columns:
            raise ValueError(f"balance_by is {self.balance_by!r}, which is not among the label_columns")
        return self


class ProductTables(StrictModel):
    """A file of tables alone, for evaluation."""

    sources: tuple[ProductTable, ...] = Field(min_length=1)
