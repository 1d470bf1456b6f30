"""What a network is trained on."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from resformer.train.settings.yaml_settings import ExistingPath, StrictModel

__all__ = [
    "LabelledSource",
    "OcrSource",
    "ProductTable",
    "ProductTables",
    "RowSource",
    "ShardSource",
    "Source",
    "SyntheticSource",
]


class LabelledSource(StrictModel):
    """Photos with questions about quantities.

    Attributes:
        kind: `challenge` (labels have entity_value), `hand` (accept: all answers that are right, separated by `|`), or
            `unlabelled` (labels have questions alone; boosted trees answer them, and where the run has whole rows, they
            answer all quantities of these photos as well).
        labels: CSV of the questions.
        photos: their folder.
        ocr: JSON lines of the text on the photos.
        extra_ocr: such files by other readers, or of copies; each photo is trained on once more with each that has it.
        in_priors: whether the label priors have counted these labels.
        sampling_weight: how often an epoch shows each photo, with the lines of each file.
    """

    kind: Literal["challenge", "hand", "unlabelled"]
    labels: ExistingPath
    photos: ExistingPath
    ocr: ExistingPath
    extra_ocr: tuple[ExistingPath, ...] = ()
    in_priors: bool = False
    sampling_weight: PositiveFloat = 1.0


class RowSource(StrictModel):
    """Photos with whole rows: every quantity of the schema is asked, and most are not shown.

    Attributes:
        kind: `rows`.
        rows: JSON lines, see train.data.photo_rows.
        data: folder that `rows` names photos in.
        ocr: JSON lines of the text on the photos; several files, each of other photos.
        extra_ocr: as a labelled source has.
        sampling_weight: how often an epoch shows each photo, with the lines of each file.
    """

    kind: Literal["rows"]
    rows: ExistingPath
    data: ExistingPath
    ocr: tuple[ExistingPath, ...] = Field(min_length=1)
    extra_ocr: tuple[ExistingPath, ...] = ()
    sampling_weight: PositiveFloat = 1.0


class SyntheticSource(StrictModel):
    """Layouts that are made up: text lines with labels, without photos.

    Attributes:
        kind: `synthetic`.
        num_photos: how many layouts are made.
        titles: the share of layouts that are a title; it comes with a photo of a table that has no quantities.
        sampling_weight: how often an epoch shows each layout.
    """

    kind: Literal["synthetic"]
    num_photos: PositiveInt
    titles: float = Field(default=0.0, ge=0, le=1)
    sampling_weight: PositiveFloat = 1.0


class ShardSource(StrictModel):
    """The training data of another config in shards, for more photos than memory holds; a run's only source.

    Settings of sources, of balance and of the validation split are those of the other config.

    Attributes:
        kind: `shards`.
        shards: a folder that `resformer data shard` wrote.
        shuffle_shards: how many shards are in memory and shuffled together, for each batch of a process's step.
    """

    kind: Literal["shards"]
    shards: ExistingPath
    shuffle_shards: PositiveInt = 4


class OcrSource(StrictModel):
    """Photos with the text on them, for the text detector and the text recognizer.

    Attributes:
        photos: their folder.
        ocr: JSON lines of the text on the photos.
    """

    photos: ExistingPath
    ocr: ExistingPath


class TableJoin(StrictModel):
    """A CSV whose columns are added to the rows that have the same value in `column`.

    Attributes:
        table: the CSV.
        column: which both tables have.
    """

    table: ExistingPath
    column: str


class ProductTable(StrictModel):
    """A catalogue: a CSV with a row per photo.

    Attributes:
        kind: `table`.
        table: the CSV.
        photos: their folder.
        image_column: names the photo: its file with or without suffix, a path, a link, or a number.
        join: a table whose columns are added.
        ocr: JSON lines of the text on the photos.
        title_column, description_column: text that a caller may send with the photo.
        label_columns: by entity of the schema, the column of its label or text; several columns joined by ` > ` are
            the levels of a path; of columns joined by `|`, the first counts that is not empty.
        ignored_labels: cells that are no labels.
        empty_without: by entity, the column without which it does not apply to a product: its right answer is empty
            then. In such a table a node of a path means that the product is of no kind below it.
        empty_quantities: fraction of the products that are asked for every quantity; the right answer is empty.
        sampling_weight: how often an epoch shows each product.
        balance_by: the entity whose rare labels are shown more often.
        label_counts: CSV (label, count) of the frequencies of `balance_by` where the network is used, if the photos
            are not as frequent.
    """

    kind: Literal["table"] = "table"
    table: ExistingPath
    photos: ExistingPath
    image_column: str
    label_columns: dict[str, str] = Field(min_length=1)
    join: TableJoin | None = None
    ocr: tuple[ExistingPath, ...] = ()
    ignored_labels: tuple[str, ...] = ()
    empty_without: dict[str, str] = Field(default_factory=dict)
    empty_quantities: float = Field(default=0.0, ge=0, le=1)
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
    """A file of tables alone, for evaluation.

    Attributes:
        sources: the tables.
    """

    sources: tuple[ProductTable, ...] = Field(min_length=1)


Source = Annotated[
    LabelledSource | RowSource | SyntheticSource | ProductTable | ShardSource, Field(discriminator="kind")
]
