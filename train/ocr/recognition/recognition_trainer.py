"""Training of the reading of strips."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from resformer.model.networks.resformer import Resformer
from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH, RecognitionNetwork
from resformer.model.ocr.ctc import BLANK, ctc_decode
from resformer.model.ocr.line_crop import crop_line
from resformer.model.schema.schema import Schema
from resformer.train.config import ReadingConfig
from resformer.train.data.quantity_records import Record
from resformer.train.engine.part_trainer import PartTrainer, photos_of
from resformer.train.engine.trainer import Log
from resformer.train.ocr.pretrained_ocr import start_reading
from resformer.train.ocr.recognition.labelled_lines import CutLine, cut_lines
from resformer.train.ocr.recognition.recognition_batches import Batch, StripBatches, pack
from resformer.train.ocr.synthetic.drawn_lines import StripPress
from resformer.train.ocr.synthetic.texts import Texts

__all__ = ["Read", "ReadingTrainer"]

TOGETHER = 32  # strips that are read at once in evaluation


@dataclass(frozen=True)
class Read:
    """How many lines are read without a mistake, of all and of those with a digit."""

    lines: int
    right: int
    digits: int
    digits_right: int

    @property
    def accuracy(self) -> float:
        """Of the lines with a digit."""
        return self.digits_right / max(1, self.digits)

    def table(self) -> str:
        """What was read, in words."""
        return (
            f"lines with digits read exactly: {self.accuracy:.3f} of {self.digits}; all lines:"
            f" {self.right / max(1, self.lines):.3f} of {self.lines}"
        )


class ReadingTrainer(PartTrainer[Record, Batch, Read]):
    """Trains a network's reading."""

    part = "text_recognizer"
    learned = ("text_recognizer",)
    config: ReadingConfig

    def __init__(self, config: ReadingConfig, out: Path, device: str, log: Log = tqdm.write):
        self._press = StripPress(Texts(Schema.load()), CROP_HEIGHT)
        self._lines: list[CutLine] | None = None
        super().__init__(config, out, device, log)
        self._held_lines = sorted(cut_lines(self.held_records), key=lambda line: len(line.text))

    def read(self) -> list[Record]:
        return photos_of(self.config.sources)

    def begin(self, network: Resformer) -> str:
        if not self.config.print_start:
            return ""
        return f"{start_reading(_recognizer(network))} tensors from {self.config.print_start}"

    def batches(self, epoch: int) -> StripBatches:
        if self._lines is None:
            self._lines = cut_lines(self.train_records) if self.config.drawn_share < 1 else []
        return StripBatches(
            self._lines,
            self._press,
            drawn_share=self.config.drawn_share,
            repainted_share=self.config.repainted_share,
            count=self.config.batches,
            batch_size=self.config.batch_size,
            seed=self.config.seed,
            epoch=epoch,
        )

    def loss(self, batch: Batch) -> Tensor:
        """Connectionist temporal classification (Graves et al., ICML 2006)."""
        strips, widths, texts, lengths = batch
        strips = strips.contiguous(memory_format=torch.channels_last)
        with self.autocast():
            logits = _recognizer(self.network)(strips, _mask(strips, widths))
        chances = F.log_softmax(logits.float(), dim=-1).transpose(0, 1)
        # Where a line has more characters than columns there is no way to read it.
        return F.ctc_loss(chances, texts, widths, lengths, blank=BLANK, zero_infinity=True)

    @torch.inference_mode()
    def evaluate(self, writer: SummaryWriter, loss: float) -> tuple[float, Read]:
        """Reads the lines of the held-back photos with the averaged weights."""
        self.averaged.load_state_dict(self.ema.tensors)
        read = self._read(self._held_lines)
        p = self.progress
        writer.add_scalar("accuracy/lines with digits", read.accuracy, p.step)
        self.log(f"epoch {p.epoch}: loss {loss:.3f}, {read.table()} ({p.seconds:.0f} s)")
        return read.accuracy, read

    def _read(self, lines: Sequence[CutLine]) -> Read:
        right = digits = digits_right = 0
        for line, text in zip(lines, self._texts(lines), strict=True):
            with_digit = any(c.isdigit() for c in line.text)
            right += text == line.text
            digits += with_digit
            digits_right += with_digit and text == line.text
        return Read(len(lines), right, digits, digits_right)

    def _texts(self, lines: Sequence[CutLine]) -> Iterator[str]:
        for i in range(0, len(lines), TOGETHER):
            strips = [crop_line(*line.open(), CROP_HEIGHT) for line in lines[i : i + TOGETHER]]
            pixels, widths, *_ = pack([(strip, "") for strip in strips])
            logits = _recognizer(self.averaged)(pixels.to(self.device), _mask(pixels, widths).to(self.device))
            for row, width in zip(logits.float().cpu().numpy(), widths.tolist(), strict=True):
                yield ctc_decode(row[:width])[0]


def _mask(strips: Tensor, widths: Tensor) -> Tensor:
    """bool (B, W / STEP_WIDTH): where a strip is."""
    return torch.arange(strips.shape[-1] // STEP_WIDTH, device=widths.device) < widths[:, None]


def _recognizer(network: Resformer) -> RecognitionNetwork:
    assert network.text_recognizer is not None
    return network.text_recognizer
