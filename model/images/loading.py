"""Image files of all common formats to pixels."""

import re
from dataclasses import dataclass
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
from resformer.model.images.frames import best_frame
from resformer.model.images.transparency import flatten

__all__ = ["MAX_PIXELS", "LoadedPhoto", "Photo", "decode_photo", "is_photo", "load_frame", "load_photo"]

MAX_PIXELS = 50_000_000

# The format is recognized by the first bytes. Plugins are called directly: Image.open has its own limit on the pixels,
# warns on stderr, and raises the same error for a damaged image and for a file that is no image.
OPENERS = tuple(
    (re.compile(signature, re.DOTALL), opener)
    for signature, opener in (
        (rb"\xff\xd8\xff", JpegImagePlugin.jpeg_factory),
        (rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
        (rb"RIFF.{4}WEBP", WebPImagePlugin.WebPImageFile),
        (rb"GIF8[79]a", GifImagePlugin.GifImageFile),
        (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImagePlugin.BmpImageFile),
        (rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile),
    )
)

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
        max_pixels: larger photos are refused.

    Raises:
        OSError: the path cannot be read.
        ResformerError: see decode_photo; BadRequest also for an array that is no photo.
    """
    if isinstance(photo, str | Path):
        photo = Path(photo).read_bytes()
    if isinstance(photo, bytes | bytearray):
        return _decode(photo, max_pixels)
    if isinstance(photo, Image.Image):
        return LoadedPhoto(np.array(_rgb(ImageOps.exif_transpose(photo))))
    if not isinstance(photo, np.ndarray) or photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        form = f"{photo.dtype} {photo.shape}" if isinstance(photo, np.ndarray) else type(photo).__name__
        raise BadRequest(f"a photo is a path, bytes, a PIL image or a uint8 array (H, W, 3), not {form}")
    return LoadedPhoto(photo)


def decode_photo(data: bytes | bytearray, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The photo of an image file, upright: of several frames see best_frame, of transparent ones flatten.

    Args:
        data: a JPEG, PNG, WebP, GIF, BMP or TIFF file.
        max_pixels: larger photos are refused.

    Returns:
        uint8 RGB, (height, width, 3).

    Raises:
        BadRequest: there are no bytes.
        UnsupportedImage: the bytes are not an image in one of these formats.
        ImageTooLarge: the photo has more than `max_pixels` pixels; they were not decoded.
        CorruptImage: the image is cut off or damaged.
    """
    return _decode(data, max_pixels).pixels


def is_photo(data: bytes | bytearray) -> bool:
    """Whether these bytes begin as an image file that `decode_photo` reads; further on they may be damaged."""
    return any(signature.match(data) for signature, _ in OPENERS)


def _decode(data: bytes | bytearray, max_pixels: int) -> LoadedPhoto:
    if not data:
        raise BadRequest("the photo is empty; send the bytes of an image file")
    opener = next((opener for signature, opener in OPENERS if signature.match(data)), None)
    if opener is None:
        raise UnsupportedImage("the bytes are not a photo; send a JPEG, PNG, WebP, GIF, BMP or TIFF file")
    # Plugins raise all kinds of exceptions on damaged bytes.
    try:
        image: Image.Image = opener(BytesIO(data))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(f"the photo has more than the {max_pixels} pixels taken here; send it smaller") from error
    except Exception as error:
        raise _corrupt(error) from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"the photo has {width} x {height} pixels, more than the {max_pixels} taken here; send it smaller"
        )
    if width < 1 or height < 1:
        raise CorruptImage(f"the photo has {width} x {height} pixels; save it again")
    try:
        return LoadedPhoto(*best_frame(image, _pixels, max_pixels))
    except ImageTooLarge:
        raise
    except Exception as error:
        raise _corrupt(error) from error


def _pixels(image: Image.Image) -> np.ndarray:
    image.load()
    return np.array(_rgb(_upright(image)))


def _corrupt(error: Exception) -> CorruptImage:
    return CorruptImage(f"the photo is cut off or damaged ({error}); send the whole file, or save it again")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Damaged EXIF leaves the pixels usable, and raises all kinds of exceptions.
        return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = flatten(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey samples of 16 or 32 bits, or floats, in 8 bits.

    Files of 32 bits do not state which sample is white: the upper end of the smallest common range that holds all.
    """
    samples = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((samples >> 8).astype(np.uint8))
    samples = np.nan_to_num(samples.astype(np.float32), posinf=0, neginf=0)
    peak = samples.max()
    white = next((white for white in (1.0, 255.0, 65535.0) if peak <= white), max(peak, 2.0**31))
    return Image.fromarray((samples.clip(0) * (255 / white)).round().astype(np.uint8))
