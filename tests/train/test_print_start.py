"""The print stem begins as the packaged finder."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from model.maps import CELL, PRINT, PrintMaps
from model.print_stem import PrintStem
from model.readers.recognisers import bundled_model
from train.print_start import start_from_ppocr


def test_the_map_of_print_begins_as_the_packaged_finder_s() -> None:
    stem, maps = PrintStem().eval(), PrintMaps(PrintStem.channels).eval()
    assert start_from_ppocr(stem, maps) == 162
    photo = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0)) * 2 - 1
    packaged = onnx.load(str(bundled_model("tiny/det/det.onnx")))
    (last,) = (node.input[0] for node in packaged.graph.node if node.op_type == "Sigmoid")
    packaged.graph.output.append(onnx.helper.make_empty_tensor_value_info(last))
    finder = onnxruntime.InferenceSession(packaged.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = finder.run([last], {"x": photo.flip(1).numpy()})
    with torch.inference_mode():
        ours = maps(stem(photo))[0, PRINT].numpy()
    # Half as fine: the mean of four places.
    theirs = logits.reshape(96 // CELL, CELL, 160 // CELL, CELL).mean(axis=(1, 3))
    assert theirs.std() > 0.5
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_another_finder_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.print_stem.LEVEL", 32)
    with pytest.raises(ValueError, match="has other filters"):
        start_from_ppocr(PrintStem(), PrintMaps(PrintStem.channels))
