"""The photos of a run's sources."""

import random
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from resformer.model.inference.inputs import Preprocessor
from resformer.model.schema.schema import Schema
from resformer.train.data.photo_rows import read_photo_rows
from resformer.train.data.quantity_records import (
    Record,
    read_challenge,
    read_hand,
    read_ocr_cache,
    read_unlabelled,
    with_ocr,
)
from resformer.train.data.splitting import split_by_hash
from resformer.train.data.synthetic_layouts import generate
from resformer.train.network.label_frequencies import balance_labels, read_label_counts
from resformer.train.network.labelled_photos import LabelledPhoto, PhotoFile, labelled_photo
from resformer.train.network.product_tables import read_product_table
from resformer.train.settings.run_settings import NetworkConfig
from resformer.train.settings.sources import LabelledSource, ProductTable, RowSource, ShardSource, SyntheticSource

__all__ = ["read_sources"]


def read_sources(config: NetworkConfig, preprocessor: Preprocessor) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
    """Photos to train on, and photos for validation, split by a hash of names and texts.

    A photo with whole rows has the labels and texts that tables know of it; photos with `extra_ocr` are in the training
    data once more with each of these OCR caches. What a pseudo-labeller answers is trained on alone, as are synthetic
    layouts beside other sources. Photos of which nothing is known are left out.

    Raises:
        ValueError: a source is broken.
    """
    schema = preprocessor.schema
    tables = [photo for s in config.sources if isinstance(s, ProductTable) for photo in _table(s, config, schema)]
    by_file: dict[Path, list[LabelledPhoto]] = defaultdict(list)
    for photo in tables:
        if (file := _file(photo)) is not None:
            by_file[file].append(photo)
    photos: list[LabelledPhoto] = []
    extra: list[LabelledPhoto] = []
    labelled: list[Record] = []
    merged: set[Path] = set()
    for i, source in enumerate(config.sources):
        if isinstance(source, ProductTable | ShardSource) or source.kind == "unlabelled":
            continue
        records = _records(source, schema, config.seed + i)
        if isinstance(source, SyntheticSource) and len(config.sources) > 1:
            extra += [_of_source(source, record) for record in records]
            continue
        labelled += records
        for found, target in ((records, photos), (_again(source, records), extra)):
            for record in found:
                file = record.photo.resolve() if record.photo else None
                # A question that presumes an answer says nothing about the rest of the row.
                known = by_file[file] if file and not record.assume_present else []
                merged |= {file} if file and known else set()
                target.append(_of_source(source, record, known))
    photos += [p for p in tables if _file(p) not in merged]
    train, val = split_by_hash([p for p in photos if p.questions or p.labels or p.texts], config.val_fraction)
    held_out = {key for photo in val for key in photo.split_keys} | {photo.name for photo in val}
    extra = _with_pictures(extra, [p.photo for p in train if p.photo and not p.questions], config.seed)
    extra += _pseudo_labelled(config, [r for r in labelled if not held_out & set(_keys(r))], preprocessor)
    return [*train, *(photo for photo in extra if not held_out & {photo.name, *photo.split_keys})], val


def _records(source: LabelledSource | RowSource | SyntheticSource, schema: Schema, seed: int) -> list[Record]:
    match source:
        case SyntheticSource():
            return generate(source.num_photos, seed, schema, titles=source.titles)
        case RowSource():
            return read_photo_rows(source.rows, source.data, source.ocr, schema)
        case LabelledSource(kind="challenge"):
            return read_challenge(source.labels, source.photos, source.ocr, schema, in_priors=source.in_priors)
        case LabelledSource(kind="hand"):
            return read_hand(source.labels, source.photos, source.ocr, schema)
    return read_unlabelled(source.labels, source.photos, source.ocr, schema)


def _with_pictures(photos: Sequence[LabelledPhoto], pictures: Sequence[PhotoFile], seed: int) -> list[LabelledPhoto]:
    """The photos; titles that have none are given one of these at random, where there are any."""
    rng = random.Random(seed)
    return [replace(p, photo=rng.choice(pictures)) if pictures and p.title and not p.photo else p for p in photos]


def _file(photo: LabelledPhoto) -> Path | None:
    """Where the photo is; None where there is none."""
    return photo.photo.resolve() if isinstance(photo.photo, Path) else None


def _of_source(
    source: LabelledSource | RowSource | SyntheticSource, record: Record, known: Sequence[LabelledPhoto] = ()
) -> LabelledPhoto:
    """A record as a photo of its source."""
    photo = labelled_photo(record, known)
    return replace(photo, name=f"{type(source).__name__}/{photo.name}", sampling_weight=source.sampling_weight)


def _pseudo_labelled(
    config: NetworkConfig, labelled: Sequence[Record], preprocessor: Preprocessor
) -> list[LabelledPhoto]:
    """The photos of unlabelled sources, with answers of boosted trees that learn from the labelled records.

    Photos that have a whole row among these are asked nothing more.
    """
    rows = [record for record in labelled if not record.assume_present]
    catalogue = [record for record in labelled if record.assume_present]
    with_row = {Path(record.name).name for record in rows}
    photos: list[LabelledPhoto] = []
    for source in config.sources:
        if not (isinstance(source, LabelledSource) and source.kind == "unlabelled"):
            continue
        from resformer.train.network.pseudo_labels import (  # needs LightGBM, which other runs do without
            pseudo_label,
            pseudo_label_rows,
        )

        if not catalogue:
            raise ValueError(f"{source.labels} cannot be pseudo-labelled without labels; add a challenge source")
        records = _records(source, preprocessor.schema, config.seed)
        records += _again(source, records)
        known = {Path(record.name).name for record in catalogue}
        answered = pseudo_label([r for r in records if Path(r.name).name not in known], catalogue, preprocessor)
        if rows:
            new = [record for record in records if Path(record.name).name not in with_row]
            answered += pseudo_label_rows(new, rows, preprocessor)
        photos += [_of_source(source, record) for record in answered]
    return photos


def _keys(record: Record) -> Sequence[Hashable]:
    return labelled_photo(record).split_keys


def _again(source: LabelledSource | RowSource | SyntheticSource, records: Sequence[Record]) -> list[Record]:
    """The records of a source with the text lines of its other OCR caches."""
    if isinstance(source, SyntheticSource) or not source.extra_ocr:
        return []
    return with_ocr(records, source.extra_ocr)


def _table(source: ProductTable, config: NetworkConfig, schema: Schema) -> Iterable[LabelledPhoto]:
    cached = {Path(name).name: record for file in source.ocr for name, record in read_ocr_cache(file).items()}
    photos = read_product_table(source, schema, cached)
    if not source.balance_by:
        return photos
    entity = schema[source.balance_by]
    counts = read_label_counts(source.label_counts, entity) if source.label_counts else {}
    return balance_labels(
        photos, entity, counts, min_count=config.balance_min_count, max_factor=config.balance_max_factor
    )
