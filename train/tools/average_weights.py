"""Averages the weights of two runs of which one began where the other ended (model soups, arXiv 2203.05482).

python -m train.tools.average_weights A.safetensors B.safetensors OUT.safetensors --share 0.3
"""

import argparse
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

__all__ = ["average", "main"]


def average(first: Path, second: Path, out: Path, share: float) -> None:
    """Writes (1 - share) x the first + share x the second; what counts something stays the first's, and so does what
    the file says of itself.

    Raises ValueError: they are not of one shape, or number the same things otherwise.
    """
    with safe_open(first, framework="pt") as file:
        facts = file.metadata()
    ours, theirs = load_file(first), load_file(second)
    if wrong := sorted(n for n in ours.keys() | theirs.keys() if _shape(ours.get(n)) != _shape(theirs.get(n))):
        raise ValueError(f"{second} is of another shape than {first}: {wrong[0]} differs")
    for name, tensor in ours.items():
        # Counts are single numbers; where a lexicon's votes stand for other words, their mean stands for none.
        if not tensor.is_floating_point() and tensor.ndim and not torch.equal(tensor, theirs[name]):
            raise ValueError(f"{second} numbers other things than {first}: {name} differs")
        if tensor.is_floating_point():
            ours[name] = tensor.float().lerp(theirs[name].float(), share).to(tensor.dtype)
    save_file(ours, out, metadata=facts)


def _shape(tensor: torch.Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second, 0 to 1 (default: 0.5)")
    args = parser.parse_args(arguments)
    if not 0 <= args.share <= 1:
        parser.error(f"--share {args.share} is not between 0 and 1")
    try:
        average(args.first, args.second, args.out, args.share)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
