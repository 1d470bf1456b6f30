"""Labelled photos as batches of questions with their right answers."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import Dataset

from resformer.model.inference.inputs import Preprocessor, Sample
from resformer.model.networks.batch import Batch
from resformer.model.schema.schema import Entity
from resformer.train.network.labelled_photos import LabelledPhoto
from resformer.train.network.layouts import augment_layout
from resformer.train.network.targets import Answers, Targets, make_targets
from resformer.train.settings.run_settings import NetworkConfig

__all__ = ["BatchMaker", "RowBatches", "draw_batches", "known_answers"]

BATCHES_PER_POOL = 16  # among which photos are sorted by length


def known_answers(photo: LabelledPhoto, entities: Sequence[Entity], *, hidden: Sequence[str] = ()) -> Answers:
    """The answers that are known of a photo, without those to texts that are sent with it."""
    return Answers(
        {q.entity.name: q for q in photo.questions},
        {e.name: photo.labels[e.name] for e in entities if e.name in photo.labels},
        {name: text for name, text in photo.texts.items() if name not in hidden},
    )


@dataclass(frozen=True)
class _View:
    """What a sample shows of a photo."""

    photo: LabelledPhoto
    has_image: bool
    texts: tuple[str, ...] = ()  # names of the fields of text that are sent


def draw_batches(photos: Sequence[LabelledPhoto], count: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Batches (count, size) of indices of photos, each photo about as often as its sampling weight says."""
    weights = np.array([photo.sampling_weight for photo in photos])
    repeats = np.floor(weights + rng.random(len(photos))).astype(int)
    order = rng.permutation(np.repeat(np.arange(len(photos)), repeats))
    return _group_by_length(np.resize(order, (count, size)), np.array([_length(p) for p in photos]), rng)


class RowBatches(Dataset[tuple[Batch, Targets]]):
    """The batches of one epoch, each made from (seed, epoch, its index) alone; without pixels, see PictureCache."""

    def __init__(
        self,
        photos: Sequence[LabelledPhoto],
        preprocessor: Preprocessor,
        config: NetworkConfig,
        epoch: int,
        generic: Mapping[str, Collection[str]],
    ):
        self._photos = photos
        self._maker = BatchMaker(preprocessor, config, generic)
        self._seed = (config.seed, epoch)
        # Every epoch has as many batches, whatever was drawn: the learning rate schedule counts on it.
        count = max(1, round(np.array([photo.sampling_weight for photo in photos]).sum() / config.batch_size))
        self._batches = draw_batches(photos, count, config.batch_size, np.random.default_rng(self._seed))

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[Batch, Targets]:
        drawn = self._batches[index]
        samples, targets = self._maker([self._photos[p] for p in drawn], random.Random(repr((*self._seed, index))))
        return self._maker.preprocessor.batch(samples), replace(targets, products=torch.from_numpy(drawn))


class BatchMaker:
    """Asks about photos as a run is asked about them.

    Every photo is asked about as if it came alone, and again with the text that came with it.

    Args:
        generic: by text entity, the words that may be spelled, see text_target.
    """

    def __init__(self, preprocessor: Preprocessor, config: NetworkConfig, generic: Mapping[str, Collection[str]]):
        self.preprocessor = preprocessor
        self._config = config
        self._generic = generic

    def __call__(self, photos: Sequence[LabelledPhoto], rng: random.Random) -> tuple[list[Sample], Targets]:
        """The samples of a batch and their targets; `image_index` of a sample is the index of its photo."""
        samples: list[Sample] = []
        answers: list[Answers] = []
        entities = self.preprocessor.tokenizer.entities
        for i, photo in enumerate(photos):
            for view in self._views(photo, rng):
                shown = self._shown(view, rng)
                sent = [name for name in ("title", "description") if getattr(shown, name)]
                known = known_answers(shown, entities, hidden=sent)
                # A batch without a question would have no loss: its last photo is asked for every text.
                p_text = self._config.p_text if samples or i + 1 < len(photos) else 1.0
                asked = [e for e in entities if _asks(e, known, p_text, rng)]
                if not asked:
                    continue
                excluded = [q.excluded_label if (q := known.quantities.get(e.name)) else None for e in asked]
                sample = self.preprocessor.sample(
                    shown.page,
                    asked,
                    title=shown.title,
                    description=shown.description,
                    assume_present=shown.assume_present,
                    excluded_labels=excluded,
                    image_index=i,
                    has_image=view.has_image,
                )
                samples.append(sample)
                answers.append(known)
        return samples, make_targets(self.preprocessor.tokenizer, samples, answers, self._generic)

    def _views(self, photo: LabelledPhoto, rng: random.Random) -> list[_View]:
        fields = [name for name in ("title", "description") if getattr(photo, name)]
        has_image = photo.photo is not None
        may_drop = bool(photo.questions and photo.lines)  # there is something to read
        views = []
        if photo.lines or not any(q.accepted for q in photo.questions):  # otherwise its answers are in the text alone
            views.append(_View(photo, has_image and not (may_drop and rng.random() < self._config.p_drop_image)))
        if fields:
            sent = [name for name in fields if rng.random() >= self._config.p_drop_field] or fields
            views.append(_View(photo, has_image and rng.random() >= self._config.p_drop_image, tuple(sent)))
        return views

    def _shown(self, view: _View, rng: random.Random) -> LabelledPhoto:
        """The photo as a view shows it: with the text that is sent, another layout, some words hidden."""
        photo, config = view.photo, self._config
        photo = replace(
            photo,
            title=photo.title if "title" in view.texts else "",
            description=photo.description if "description" in view.texts else "",
            group_id="" if rng.random() < config.p_drop_group else photo.group_id,
            drawing=None if rng.random() < config.p_drop_drawing else photo.drawing,
        )
        if photo.lines and rng.random() >= config.p_unaugmented:
            photo = augment_layout(photo, self.preprocessor, rng, p_title=config.p_title)
        if any(q.accepted for q in photo.questions):
            return photo  # a word may be part of an answer
        return replace(
            photo,
            title=_thinned(photo.title, config.p_drop_word, rng),
            description=_thinned(photo.description, config.p_drop_word, rng),
        )


def _asks(entity: Entity, known: Answers, p_text: float, rng: random.Random) -> bool:
    if entity.name in known.texts:
        return rng.random() < p_text
    return entity.name in known.quantities or entity.name in known.labels


def _thinned(text: str, p_drop: float, rng: random.Random) -> str:
    words = text.split()
    return " ".join([word for word in words if rng.random() >= p_drop] or words)


def _length(photo: LabelledPhoto) -> int:
    """How much there is to encode and to write, in words."""
    written = sum(len(text.split()) for text in (photo.title, photo.description, *photo.texts.values()))
    return written + sum(1 + line.text.count(" ") for line in photo.lines)


def _group_by_length(batches: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Batches of photos with sequences of similar length: padding costs most of the time.

    Args:
        batches: (count, size) indices of photos, in random order; each is sorted among BATCHES_PER_POOL neighbours.
    """
    pools = []
    for start in range(0, len(batches), BATCHES_PER_POOL):
        pool = batches[start : start + BATCHES_PER_POOL]
        by_length = pool.flatten()[np.argsort(lengths[pool.flatten()], kind="stable")]
        pools.append(by_length.reshape(pool.shape))
    grouped = np.concatenate(pools)
    return grouped[rng.permutation(len(grouped))]
