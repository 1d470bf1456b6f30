"""The reading of strips is learned from what a reader found, and from drawn print."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from resformer.model.inference.checkpoint import build_network, load_checkpoint, save_checkpoint
from resformer.model.inference.tokenizer import Tokenizer
from resformer.model.networks.presets import preset
from resformer.model.networks.text_recognition import CROP_HEIGHT, STEP_WIDTH, RecognitionNetwork
from resformer.model.ocr.charset import CHARSET, fold_to_charset
from resformer.model.ocr.ctc import BLANK
from resformer.model.ocr.line_crop import crop_line
from resformer.model.schema.schema import Schema
from resformer.train.config import ReadingConfig, Source
from resformer.train.data.quantity_records import Record, read_words
from resformer.train.engine.part_trainer import PartTrainer
from resformer.train.ocr.recognition.labelled_lines import CutLine, cut_lines
from resformer.train.ocr.recognition.recognition_batches import LENGTHS, StripBatches, pack, widest
from resformer.train.ocr.recognition.recognition_trainer import Read, ReadingTrainer
from resformer.train.ocr.synthetic.drawn_lines import StripPress
from resformer.train.ocr.synthetic.fonts import Fonts
from resformer.train.ocr.synthetic.texts import Texts

TOKENIZER = Tokenizer(Schema.load())


@pytest.fixture(scope="module")
def press(fonts: Fonts) -> StripPress:
    return StripPress(Texts(Schema.load()), CROP_HEIGHT)


def config(where: Source, **changes: object) -> ReadingConfig:
    settings = {"preset": "nano", "sources": (where,), "minutes": 5, "epochs": 1, "batch_size": 8, "batches": 3}
    return ReadingConfig(**{**settings, "hold_back": 0.2, **changes})  # type: ignore[arg-type]


def records(source: Source) -> list[Record]:
    assert source.words and source.photos
    found = [replace(r, photo=source.photos / r.name) for r in read_words(source.words).values()]
    return [record for record in found if record.photo.is_file()]


def test_text_is_folded_to_what_the_network_reads() -> None:
    assert fold_to_charset("NET WT. 5½” × 3µg") == 'net wt. 5½" x 3ug'
    assert fold_to_charset("Crème  Brûlée") == "creme brulee"
    assert fold_to_charset("重量 5") is None
    assert all(fold_to_charset(c) == c for c in CHARSET[1:])


def test_lines_are_cut_with_their_surroundings(source: Source) -> None:
    lines = cut_lines(records(source))
    assert len(lines) == 16
    for line in lines:
        pixels, corners = line.open()
        strip = crop_line(pixels, corners, CROP_HEIGHT)
        # Black print on a light ground, touching neither end of the cut around it.
        assert strip.min() < 80
        assert pixels[:2].min() > 100 and pixels[-2:].min() > 100
        assert fold_to_charset(line.text) == line.text


def test_batches_hold_strips_and_what_they_say(source: Source, press: StripPress) -> None:
    settings = {"drawn_share": 0.4, "repainted_share": 0.3, "count": 6, "batch_size": 8, "seed": 0}
    batches = StripBatches(cut_lines(records(source)), press, epoch=1, **settings)  # type: ignore[arg-type]
    for number in range(len(batches)):
        strips, widths, texts, lengths = batches[number]
        assert strips.dtype == torch.uint8 and strips.shape[1:3] == (3, CROP_HEIGHT)
        assert strips.shape[-1] == widths.max() * STEP_WIDTH <= widest(LENGTHS[-1]) + STEP_WIDTH
        assert (widths >= lengths).all() and (lengths > 0).all()
        assert ((texts != BLANK).sum(dim=1) == lengths).all()
    assert torch.equal(batches[0][0], batches[0][0])
    again = StripBatches(cut_lines(records(source)), press, epoch=2, **settings)  # type: ignore[arg-type]
    assert batches[0][0].shape != again[0][0].shape or not torch.equal(batches[0][0], again[0][0])


def test_padding_repeats_the_last_column() -> None:
    strips = [(np.full((CROP_HEIGHT, 10, 3), 7, np.uint8), "5"), (np.zeros((CROP_HEIGHT, 20, 3), np.uint8), "12")]
    pixels, widths, texts, lengths = pack(strips)
    assert pixels.shape == (2, 3, CROP_HEIGHT, 20)
    assert (pixels[0] == 7).all()
    assert widths.tolist() == [3, 5] and lengths.tolist() == [1, 2]
    assert texts[0].tolist() == [CHARSET.index("5"), BLANK]


def test_a_strip_is_read_in_a_batch_as_alone() -> None:
    torch.manual_seed(0)
    reading = RecognitionNetwork(len(CHARSET) + 1).eval()
    strips = torch.rand(2, 3, CROP_HEIGHT, 64) * 255
    mask = torch.arange(64 // STEP_WIDTH) < torch.tensor([[12], [16]])
    with torch.inference_mode():
        together = reading(strips, mask)
        torch.testing.assert_close(together[:1, :12], reading(strips[:1, :, :, : 12 * STEP_WIDTH]))
        torch.testing.assert_close(together[1:], reading(strips[1:]))
        assert not torch.allclose(together[:1, :12], reading(strips)[:1, :12], atol=1e-4)


def test_training_changes_the_reading_alone(source: Source, press: StripPress, tmp_path: Path) -> None:
    start = tmp_path / "start.safetensors"
    network = build_network(preset("nano"), TOKENIZER, ("text_detector",))
    save_checkpoint(start, network, TOKENIZER, temperature=1.5, text_detector_epochs="3")
    said: list[str] = []
    settings = config(source, start=start, print_start="ppocrv6-tiny", learning_rate=0.01)
    trainer = ReadingTrainer(settings, tmp_path / "run", "cpu", said.append)
    assert said[0] == "text_recognizer: 76 tensors from ppocrv6-tiny"
    assert trainer.run() is not None
    trained = load_checkpoint(tmp_path / "run" / "weights.safetensors", TOKENIZER)
    before, after = load_checkpoint(start, TOKENIZER).network.state_dict(), trained.network.state_dict()
    assert {name.split(".")[0] for name in after.keys() - before.keys()} == {"text_recognizer"}
    assert all(torch.equal(before[name], after[name]) for name in before)
    fresh = trainer.network.text_recognizer
    assert fresh is not None
    facts = {"text_detector_epochs": "3", "text_recognizer_epochs": "1", "temperature": "1.500"}
    assert facts.items() <= trained.metadata.items()


def test_the_reading_of_a_run_learns(source: Source, press: StripPress, tmp_path: Path) -> None:
    settings = config(source, epochs=10, batches=6, learning_rate=0.003, drawn_share=0.0, hold_back=0.0)
    trainer: PartTrainer = ReadingTrainer(settings, tmp_path, "cpu", str)
    losses: list[float] = []
    step = trainer._step
    trainer._step = lambda batch: losses.append(step(batch)) or losses[-1]  # type: ignore
    trainer.run()
    assert np.mean(losses[-8:]) < 0.7 * np.mean(losses[:8])


def test_drawn_strips_alone_are_enough(press: StripPress, tmp_path: Path) -> None:
    settings = config(Source("read", photos=tmp_path, words=None), drawn_share=1.0, hold_back=0.0, batches=1)
    ReadingTrainer(settings, tmp_path / "run", "cpu", str).run()
    assert (tmp_path / "run" / "weights.safetensors").is_file()


def test_what_was_read_is_told() -> None:
    read = Read(lines=4, right=3, digits=2, digits_right=1)
    assert read.accuracy == 0.5
    assert read.table() == "lines with digits read exactly: 0.500 of 2; all lines: 0.750 of 4"
    assert Read(0, 0, 0, 0).accuracy == 0


def test_cut_lines_open_with_their_corners() -> None:
    import cv2

    _, packed = cv2.imencode(".jpg", np.zeros((40, 100, 3), np.uint8))
    pixels, corners = CutLine(packed.tobytes(), "5").open()
    assert pixels.shape == (40, 100, 3)
    assert corners.tolist() == [[10, 10], [90, 10], [90, 30], [10, 30]]
