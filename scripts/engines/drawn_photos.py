"""Drawn photos for measurements: any number, no two the same, at three sizes."""

from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from resformer.handler.threads import available_cores
from resformer.scripts.lib.sample_photos import write_samples

__all__ = ["draw_photos"]

SIDES = (500, 900, 1400)  # pixels of the longer side, in turn
QUALITY = 90
FEW = 500  # photos that are drawn before other processes have started


def draw_photos(folder: Path, count: int) -> None:
    """Writes `0.jpg`, `1.jpg` and so on into `folder`/photos.

    Args:
        folder: Is there, and gets the pictures that they are made of, too.
        count: How many; a photo depends on its number alone.
    """
    files = list(write_samples(folder / "samples").values())
    (folder / "photos").mkdir()
    parts = available_cores() if count > FEW else 1
    shares = [(files, folder / "photos", range(part, count, parts)) for part in range(parts)]
    if parts == 1:
        _draw(*shares[0])
        return
    with get_context("spawn").Pool(parts) as pool:
        pool.starmap(_draw, shares)


def _draw(files: Sequence[Path], folder: Path, numbers: range) -> None:
    scaled: dict[tuple[Path, int], Image.Image] = {}
    for i in numbers:
        key = files[i % len(files)], SIDES[i % len(SIDES)]
        if key not in scaled:
            scaled[key] = Image.open(key[0]).convert("RGB")
            scaled[key].thumbnail((key[1],) * 2)
        photo = scaled[key].copy()
        photo.putpixel((i % photo.width, i // photo.width), (255, 0, 0))  # another photo, with the same text
        photo.save(folder / f"{i}.jpg", quality=QUALITY)
