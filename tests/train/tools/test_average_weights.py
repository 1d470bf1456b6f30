"""Weights of two runs become one."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from resformer.train.tools.average_weights import main


def test_weights_are_averaged_and_numbers_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, out = (str(tmp_path / name) for name in ("a", "b", "out"))
    save_file({"w": torch.tensor([[1.0, 2.0]]).half(), "n": torch.tensor(3)}, a, metadata={"preset": "nano"})
    save_file({"w": torch.tensor([[3.0, 6.0]]).half(), "n": torch.tensor(9)}, b)
    assert main([a, b, out, "--share", "0.25"]) == 0
    made = load_file(out)
    assert made["w"].tolist() == [[1.5, 3.0]] and made["w"].dtype == torch.half and made["n"] == 3
    with safe_open(out, framework="pt") as file:
        assert file.metadata() == {"preset": "nano"}
    save_file({"place": torch.tensor([0, 1]), "vote": torch.zeros(2)}, a)
    save_file({"place": torch.tensor([0, 2]), "vote": torch.zeros(2)}, b)
    assert main([a, b, out]) == 2 and "numbers other things" in capsys.readouterr().err
    save_file({"place": torch.tensor([0, 1]), "vote": torch.zeros(3)}, b)
    assert main([a, b, out]) == 2
    assert "is of another shape" in capsys.readouterr().err and main([a, f"{b}-none", out]) == 2
    with pytest.raises(SystemExit):
        main([a, b, out, "--share", "1.5"])
