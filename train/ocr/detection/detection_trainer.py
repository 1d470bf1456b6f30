"""Training of the text detector."""

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from resformer.model.images.resize import resize_for_detector
from resformer.model.networks.parts import Parts
from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.ocr.detection_postprocess import extract_lines
from resformer.train.data.quantity_records import Record
from resformer.train.data.splitting import split_by_hash
from resformer.train.engine.part_trainer import PartTrainer
from resformer.train.ocr.detection.detection_counts import DetectionCounts, compare_lines
from resformer.train.ocr.detection.detection_loss import detection_loss
from resformer.train.ocr.detection.photo_crops import PhotoCrops
from resformer.train.ocr.detection.score_map_targets import cue_pattern
from resformer.train.ocr.ocr_records import load_photo, read_ocr_sources
from resformer.train.ocr.pretrained_ocr import init_detector
from resformer.train.settings.run_settings import DetectorConfig

__all__ = ["DetectionTrainer"]


class DetectionTrainer(PartTrainer[Record, tuple[Tensor, Tensor], DetectionCounts]):
    """See PartTrainer. The score is F1 of validation lines with digits."""

    part = "text_detector"
    config: DetectorConfig

    def split_items(self) -> tuple[list[Record], list[Record]]:
        """The photos of the OCR caches, split."""
        return split_by_hash(read_ocr_sources(self.config.sources), self.config.val_fraction)

    def init_part(self, network: Parts) -> str:
        """See PartTrainer."""
        if not self.config.pretrained_ocr:
            return ""
        return f"{init_detector(_detector(network))} tensors from {self.config.pretrained_ocr}"

    def batches(self, epoch: int) -> PhotoCrops:
        """See Trainer."""
        return PhotoCrops(
            self.train_items,
            side=self.config.crop_side,
            batch_size=self.config.batch_size,
            cues=cue_pattern(self.schema),
            seed=self.config.seed,
            epoch=epoch,
        )

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """See Trainer."""
        photos, targets = batch
        maps = _detector(self.network)(photos.contiguous(memory_format=torch.channels_last))
        return detection_loss(maps, targets)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, DetectionCounts]:
        """F1 of the lines with digits."""
        counts = sum((self._detect(record) for record in self.val_items), DetectionCounts())
        p = self.progress
        writer.add_scalar("f1/lines with digits", counts.f1, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {counts.table()} ({p.seconds:.0f} s)")
        return counts.f1, counts

    def _detect(self, record: Record) -> DetectionCounts:
        photo, _ = load_photo(record)
        resized, _ = resize_for_detector(photo, self.config.eval_max_side)
        pixels = torch.from_numpy(resized.transpose(2, 0, 1).copy())[None].to(self.device)
        maps = _detector(self.averaged)(pixels)[0].float().cpu().numpy()
        to_record = (record.width / resized.shape[1], record.height / resized.shape[0])
        return compare_lines(extract_lines(maps, to_record), record.lines)


def _detector(network: Parts) -> DetectionNetwork:
    assert network.text_detector is not None
    return network.text_detector
