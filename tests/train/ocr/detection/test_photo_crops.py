"""Crops of photos come with the targets of their text."""

import torch

from resformer.model.networks.text_detection import MAP_STRIDE, TEXT
from resformer.model.ocr.text_line import TextLine
from resformer.train.data.quantity_records import Record
from resformer.train.ocr.detection.photo_crops import PhotoCrops
from resformer.train.ocr.detection.score_map_targets import NUM_TARGETS
from resformer.train.settings.sources import OcrSource
from tests.train.ocr.detection.ideal_maps import CUES


def test_crops_hold_the_text_of_their_photo(source: OcrSource) -> None:
    whole_photo = TextLine(((0, 0), (640, 0), (640, 640), (0, 640)), "1", 0.9)
    record = Record("0.png", source.photos / "0.png", 640, 640, (whole_photo,), ())
    crops = PhotoCrops([record] * 6, side=160, batch_size=4, cues=CUES, seed=0, epoch=1)
    assert len(crops) == 2
    photos, targets = crops[0]
    assert (photos.dtype, photos.shape) == (torch.uint8, (4, 3, 160, 160))
    assert targets.shape == (4, NUM_TARGETS, 160 // MAP_STRIDE, 160 // MAP_STRIDE)
    assert all(target[TEXT].any() for target in targets)


def test_batches_depend_on_seed_epoch_and_index(source: OcrSource) -> None:
    record = Record("0.png", source.photos / "0.png", 640, 640, (), ())

    def crops(index: int, **changes: int) -> torch.Tensor:
        settings = {"seed": 0, "epoch": 1, **changes}
        return PhotoCrops([record] * 4, side=160, batch_size=2, cues=CUES, **settings)[index][0]

    assert torch.equal(crops(0), crops(0))
    for other in (crops(1), crops(0, seed=1), crops(0, epoch=2)):
        assert not torch.equal(crops(0), other)
