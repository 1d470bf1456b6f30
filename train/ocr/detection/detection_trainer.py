"""Training of the maps of print and of the print stem below them."""

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from resformer.model.images.loading import decode_photo
from resformer.model.images.resize import resize_for_detector
from resformer.model.networks.resformer import Resformer
from resformer.model.networks.text_detection import DetectionNetwork
from resformer.model.ocr.detection_postprocess import extract_lines
from resformer.train.config import MapsConfig
from resformer.train.data.quantity_records import Record
from resformer.train.engine.part_trainer import PartTrainer, photos_of
from resformer.train.ocr.detection.detection_loss import map_loss
from resformer.train.ocr.detection.line_matching import Found, compare_lines
from resformer.train.ocr.detection.photo_crops import Cuts
from resformer.train.ocr.pretrained_ocr import start_finding

__all__ = ["MapsTrainer"]


class MapsTrainer(PartTrainer[Record, tuple[Tensor, Tensor], Found]):
    """Trains a network's print stem and maps."""

    part = "text_detector"
    learned = ("text_detector",)
    config: MapsConfig

    def read(self) -> list[Record]:
        return photos_of(self.config.sources)

    def begin(self, network: Resformer) -> str:
        if not self.config.print_start:
            return ""
        detector = _detector(network)
        return f"{start_finding(detector.backbone, detector.head)} tensors from {self.config.print_start}"

    def batches(self, epoch: int) -> Cuts:
        return Cuts(
            self.train_records,
            side=self.config.side,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
        )

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        photos, truth = batch
        with self.autocast():
            maps = _detector(self.network)(photos.contiguous(memory_format=torch.channels_last))
        return map_loss(maps, truth)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Found]:
        """Finds the lines of the held-back photos with the averaged weights."""
        self.averaged.load_state_dict(self.ema.tensors)
        found = sum((self._found(record) for record in self.held_records), Found())
        p = self.progress
        writer.add_scalar("f1/lines with digits", found.f1, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {found.table()} ({p.seconds:.0f} s)")
        return found.f1, found

    @torch.inference_mode()
    def _found(self, record: Record) -> Found:
        assert record.photo is not None
        photo = decode_photo(record.photo.read_bytes())
        sized, _ = resize_for_detector(photo, self.config.maps_size)
        pixels = torch.from_numpy(sized.transpose(2, 0, 1).copy())[None].to(self.device)
        maps = _detector(self.averaged)(pixels)[0].float().cpu().numpy()
        # Words may have been read on a larger version of the photo.
        scale = (record.width / sized.shape[1], record.height / sized.shape[0])
        return compare_lines(extract_lines(maps, scale), record.lines)


def _detector(network: Resformer) -> DetectionNetwork:
    assert network.text_detector is not None
    return network.text_detector
