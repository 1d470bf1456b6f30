"""The mean of two checkpoints."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from resformer.scripts.cli.main import main
from resformer.train.tools.average_weights import average_weights


def test_floats_are_averaged_and_integers_kept(tmp_path: Path) -> None:
    a, b, out = (tmp_path / name for name in ("a", "b", "out"))
    save_file({"w": torch.tensor([[1.0, 2.0]]).half(), "n": torch.tensor(3)}, a, metadata={"preset": "nano"})
    save_file({"w": torch.tensor([[3.0, 6.0]]).half(), "n": torch.tensor(9)}, b)
    assert main(["data", "average", str(a), str(b), "--weight", "0.25", "--out", str(out)]) == 0
    mean = load_file(out)
    assert mean["w"].tolist() == [[1.5, 3.0]] and mean["w"].dtype == torch.half and mean["n"] == 3
    with safe_open(out, framework="pt") as file:
        assert file.metadata() == {"preset": "nano"}


def test_checkpoints_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    a, b, out = (tmp_path / name for name in ("a", "b", "out"))
    save_file({"hash": torch.tensor([0, 1]), "weight": torch.zeros(2)}, a)
    save_file({"hash": torch.tensor([0, 2]), "weight": torch.zeros(2)}, b)
    with pytest.raises(ValueError, match="the integers of hash differ"):
        average_weights(a, b, out)
    save_file({"hash": torch.tensor([0, 1]), "weight": torch.zeros(3)}, b)
    with pytest.raises(ValueError, match="weight differs in shape"):
        average_weights(a, b, out)
    assert main(["data", "average", str(a), str(tmp_path / "none"), "--out", str(out)]) == 2
    with pytest.raises(ValueError, match=r"weight 1\.5 is not between 0 and 1"):
        average_weights(a, b, out, weight=1.5)
