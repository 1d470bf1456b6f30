"""Image files of all common formats to pixels."""

import re
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from resformer.model.errors import BadRequest, CorruptImage, ImageTooLarge, UnsupportedImage
from resformer.model.images.containers.bmp import read_bmp
from resformer.model.images.containers.container import Container, damaged
from resformer.model.images.containers.gif import read_gif
from resformer.model.images.containers.jpeg import read_jpeg
from resformer.model.images.containers.png import read_png
from resformer.model.images.containers.tiff import read_tiff
from resformer.model.images.containers.webp import read_webp
from resformer.model.images.frames import MAX_SIDE, best_frame
from resformer.model.images.rgb import rgb_pixels

__all__ = ["MAX_PIXELS", "LoadedPhoto", "Photo", "decode_photo", "is_photo", "load_frame", "load_photo"]

MAX_PIXELS = 50_000_000

# The format is recognized by the first bytes. Plugins are called directly: Image.open has its own limit on the pixels,
# warns on stderr, and raises the same error for a damaged image and for a file that is no image.
FORMATS = tuple(
    (re.compile(signature, re.DOTALL), read, opener)
    for signature, read, opener in (
        (rb"\xff\xd8\xff", read_jpeg, JpegImagePlugin.JpegImageFile),
        (rb"\x89PNG\r\n\x1a\n", read_png, PngImagePlugin.PngImageFile),
        (rb"RIFF.{4}WEBP", read_webp, WebPImagePlugin.WebPImageFile),
        (rb"GIF8[79]a", read_gif, GifImagePlugin.GifImageFile),
        (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", read_bmp, BmpImagePlugin.BmpImageFile),
        (rb"II[*+]\0|MM\0\*", read_tiff, TiffImagePlugin.TiffImageFile),
    )
)
# Of files with a frame of more pixels one at a time is decoded, from there on: it bounds the memory of several threads.
LARGE = 12_000_000
_one_large = threading.RLock()

Photo = str | Path | bytes | bytearray | Image.Image | np.ndarray
"""A path, the bytes of an image file, a PIL image, or pixels, uint8 RGB (H, W, 3)."""


@dataclass(frozen=True)
class LoadedPhoto:
    """The pixels of a photo, and where its file had them.

    Attributes:
        pixels: upright, uint8 RGB (H, W, 3).
        frame: position of the frame or page, from 1.
        frames: how many the file has.
    """

    pixels: np.ndarray
    frame: int = 1
    frames: int = 1


def load_photo(photo: Photo, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The pixels of `load_frame`."""
    return load_frame(photo, max_pixels=max_pixels).pixels


def load_frame(photo: Photo, *, max_pixels: int = MAX_PIXELS) -> LoadedPhoto:
    """An upright photo from a path, bytes, a PIL image or pixels.

    Args:
        photo: see Photo. Of a PIL image the current frame is taken.
        max_pixels: larger ones of paths and bytes are refused; other photos are in memory already.

    Raises:
        OSError: the path cannot be read.
        ResformerError: see decode_photo; BadRequest also for an array that is no photo.
    """
    if isinstance(photo, str | Path):
        photo = Path(photo).read_bytes()
    if isinstance(photo, bytes | bytearray):
        return _decode(photo, max_pixels)
    if isinstance(photo, Image.Image):
        return LoadedPhoto(rgb_pixels(ImageOps.exif_transpose(photo)))
    if not isinstance(photo, np.ndarray) or photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        form = f"{photo.dtype} {photo.shape}" if isinstance(photo, np.ndarray) else type(photo).__name__
        raise BadRequest(f"a photo is a path, bytes, a PIL image or a uint8 array (H, W, 3), not {form}")
    return LoadedPhoto(photo)


def decode_photo(data: bytes | bytearray, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The photo of an image file, upright: of several frames see best_frame, of transparent ones ground_of.

    Args:
        data: a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        max_pixels: larger photos are refused.

    Returns:
        uint8 RGB, (height, width, 3).

    Raises:
        BadRequest: there are no bytes.
        UnsupportedImage: the bytes are not an image in one of these formats.
        ImageTooLarge: the photo has more than `max_pixels` pixels, or more than its kind of file may have, or the file
            has too many parts, such as scans, chunks or strips; they were not decoded.
        CorruptImage: the image is cut off or damaged.
    """
    return _decode(data, max_pixels).pixels


def is_photo(data: bytes | bytearray) -> bool:
    """Whether these bytes begin as an image file that `decode_photo` reads; further on they may be damaged."""
    return any(form[0].match(data) for form in FORMATS)


def _decode(data: bytes | bytearray, max_pixels: int) -> LoadedPhoto:
    if not data:
        raise BadRequest("the photo is empty; send the bytes of an image file")
    form = next((form for form in FORMATS if form[0].match(data)), None)
    if form is None:
        raise UnsupportedImage("the bytes are not a photo; send a JPEG, PNG, WebP, GIF, BMP or TIFF file")
    _, read, opener = form
    container = read(bytes(data))
    limit = min(max_pixels, container.max_pixels or max_pixels)
    # Plugins raise all kinds of exceptions on damaged bytes.
    try:
        image: Image.Image = opener(BytesIO(container.data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"the photo has more than {_taken(limit, container)}; send it smaller") from error
    except Exception as error:
        raise damaged(error) from error
    width, height = image.size
    if width * height > limit:
        raise ImageTooLarge(
            f"the photo has {width} x {height} pixels, more than {_taken(limit, container)}; send it smaller"
        )
    if max(width, height) > MAX_SIDE:
        raise ImageTooLarge(
            f"the photo has {width} x {height} pixels, a side of more than the {MAX_SIDE} taken here; send it in parts"
        )
    if width < 1 or height < 1:
        raise CorruptImage(f"the photo has {width} x {height} pixels; save it again")
    try:
        with ExitStack() as held:
            pixels_of = partial(_pixels, orientation=container.orientation, held=held)
            pixels, frame, count = best_frame(image, pixels_of, limit)
        return LoadedPhoto(pixels, frame, container.frames or count)
    except ImageTooLarge:
        raise
    except Exception as error:
        raise damaged(error) from error


def _taken(limit: int, container: Container) -> str:
    return f"the {limit} taken here" + (f" of a {container.kind} file" if limit == container.max_pixels else "")


def _pixels(image: Image.Image, orientation: int, held: ExitStack) -> np.ndarray:
    if image.width * image.height > LARGE:
        held.enter_context(_one_large)
    image.load()
    return rgb_pixels(image, orientation)
