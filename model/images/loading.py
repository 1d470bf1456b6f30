"""The bytes of an image file to pixels, whatever a camera or a catalogue saves."""

import re
from io import BytesIO

import numpy as np
from PIL import (
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from resformer.model.errors import BadRequest, CorruptImage, ImageTooLarge, UnsupportedImage

__all__ = ["MAX_PIXELS", "decode"]

MAX_PIXELS = 50_000_000

# A file is what its first bytes say. Plugins are called by themselves, since Image.open sets limits of its own on
# the pixels, warns on stderr, and does not tell a damaged image from a file that is none.
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

# EXIF orientation to what makes the photo upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes | bytearray, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """The first picture of an image file, upright, with white behind what is transparent.

    Args:
        data: A JPEG, PNG, WebP, GIF, BMP or TIFF file.
        max_pixels: The most pixels that are decoded.

    Returns:
        uint8 RGB, (height, width, 3).

    Raises:
        BadRequest: There are no bytes.
        UnsupportedImage: The bytes are not an image in one of these formats.
        ImageTooLarge: The photo has more than `max_pixels` pixels; they were not decoded.
        CorruptImage: The image is cut off or damaged.
    """
    if not data:
        raise BadRequest("the photo is empty; send the bytes of an image file")
    opener = next((opener for signature, opener in OPENERS if signature.match(data)), None)
    if opener is None:
        raise UnsupportedImage("the bytes are not a photo; send a JPEG, PNG, WebP, GIF, BMP or TIFF file")
    # Plugins raise whatever they trip over in damaged bytes, so nothing narrower than Exception catches it all.
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
        image.load()
        orientation = _orientation(image)
        image = _rgb(image)
    except Exception as error:
        raise _corrupt(error) from error
    if orientation in UPRIGHT:
        image = image.transpose(UPRIGHT[orientation])
    return np.array(image)


def _corrupt(error: Exception) -> CorruptImage:
    return CorruptImage(f"the photo is cut off or damaged ({error}); send the whole file, or save it again")


def _orientation(image: Image.Image) -> object:
    """The EXIF orientation; to be asked after load(), as TIFF files turn themselves there."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged EXIF does not make the pixels worse, and plugins raise anything
        return None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey samples of 16 or 32 bits, or floats, in 8 bits.

    Files of 32 bits do not say which sample is white: it is the end of the smallest usual range that holds them.
    """
    samples = np.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((samples >> 8).astype(np.uint8))
    samples = np.nan_to_num(samples.astype(np.float32), posinf=0, neginf=0)
    peak = samples.max()
    white = next((white for white in (1.0, 255.0, 65535.0) if peak <= white), max(peak, 2.0**31))
    return Image.fromarray((samples.clip(0) * (255 / white)).round().astype(np.uint8))
