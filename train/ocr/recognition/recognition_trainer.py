"""Training of the text recognizer."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from resformer.model.networks.parts import Parts
from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH, RecognitionNetwork
from resformer.model.ocr.ctc import BLANK, ctc_decode
from resformer.model.ocr.line_crop import crop_line
from resformer.train.data.quantity_records import Record
from resformer.train.data.splitting import split_by_hash
from resformer.train.engine.part_trainer import PartTrainer
from resformer.train.ocr.ocr_records import read_ocr_sources
from resformer.train.ocr.pretrained_ocr import init_recognizer
from resformer.train.ocr.recognition.labelled_lines import LabelledLine, read_labelled_lines
from resformer.train.ocr.recognition.recognition_batches import RecognitionBatch, RecognitionBatches, collate_crops
from resformer.train.ocr.recognition.recognition_counts import RecognitionCounts, compare_texts
from resformer.train.ocr.synthetic.line_renderer import LineRenderer
from resformer.train.ocr.synthetic.text_generator import TextGenerator
from resformer.train.settings.run_settings import RecognizerConfig

__all__ = ["RecognitionTrainer"]

EVAL_BATCH_SIZE = 32


class RecognitionTrainer(PartTrainer[Record, RecognitionBatch, RecognitionCounts]):
    """See PartTrainer. The score is the accuracy on validation lines with digits."""

    part = "text_recognizer"
    needs_items = False  # rendered text will do
    config: RecognizerConfig

    def split_items(self) -> tuple[list[Record], list[Record]]:
        """The photos of the OCR caches, split."""
        return split_by_hash(read_ocr_sources(self.config.sources), self.config.val_fraction)

    def init_part(self, network: Parts) -> str:
        """See PartTrainer."""
        if not self.config.pretrained_ocr:
            return ""
        return f"{init_recognizer(_recognizer(network))} tensors from {self.config.pretrained_ocr}"

    def batches(self, epoch: int) -> RecognitionBatches:
        """See Trainer."""
        return RecognitionBatches(
            self._train_lines,
            self._renderer,
            p_drawn=self.config.p_drawn,
            p_repainted=self.config.p_repainted,
            num_batches=self.config.batches_per_epoch,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
        )

    def loss(self, batch: RecognitionBatch) -> Tensor:
        """Connectionist temporal classification (Graves et al., ICML 2006)."""
        crops, widths, classes, lengths = batch
        crops = crops.contiguous(memory_format=torch.channels_last)
        logits = _recognizer(self.network)(crops, _step_mask(crops, widths))
        log_probabilities = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
        # A line with more characters than steps has an infinite loss.
        return F.ctc_loss(log_probabilities, classes, widths, lengths, blank=BLANK, zero_infinity=True)

    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, RecognitionCounts]:
        """The accuracy on lines with digits."""
        true = (line.text for line in self._val_lines)
        counts = compare_texts(zip(self._recognize_val_lines(), true, strict=True))
        p = self.progress
        writer.add_scalar("accuracy/lines with digits", counts.accuracy, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {counts.table()} ({p.seconds:.0f} s)")
        return counts.accuracy, counts

    @cached_property
    def _renderer(self) -> LineRenderer | None:
        """None: the config wants no rendered text, and needs no fonts."""
        if not self.config.p_drawn and not self.config.p_repainted:
            return None
        return LineRenderer(TextGenerator(self.schema), CROP_HEIGHT)

    @cached_property
    def _train_lines(self) -> list[LabelledLine]:
        if self.config.p_drawn == 1:
            return []
        lines = read_labelled_lines(self.train_items)
        if not lines:
            raise ValueError("the sources have no text lines to train on; set p_drawn to 1 to train on rendered ones")
        return lines

    @cached_property
    def _val_lines(self) -> list[LabelledLine]:
        """Sorted by length, so that little of a batch is padding."""
        return sorted(read_labelled_lines(self.val_items), key=lambda line: len(line.text))

    def _recognize_val_lines(self) -> Iterator[str]:
        recognizer = _recognizer(self.averaged)
        for i in range(0, len(self._val_lines), EVAL_BATCH_SIZE):
            crops = [crop_line(*line.decode(), CROP_HEIGHT) for line in self._val_lines[i : i + EVAL_BATCH_SIZE]]
            pixels, widths, *_ = collate_crops([(crop, "") for crop in crops])
            logits = recognizer(pixels.to(self.device), _step_mask(pixels, widths).to(self.device))
            for row, width in zip(logits.float().cpu().numpy(), widths.tolist(), strict=True):
                yield ctc_decode(row[:width])[0]


def _step_mask(crops: Tensor, widths: Tensor) -> Tensor:
    """Bool (B, W / STEP_WIDTH), False on padding."""
    return torch.arange(crops.shape[-1] // STEP_WIDTH, device=widths.device) < widths[:, None]


def _recognizer(network: Parts) -> RecognitionNetwork:
    assert network.text_recognizer is not None
    return network.text_recognizer
