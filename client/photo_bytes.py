"""Photos of all forms that a caller may have, as bytes of an image file."""

import os
import sys
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias, Union, cast

from resformer.client.client_errors import PhotoError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Photo", "photo_bytes"]

Photo: TypeAlias = Union[str, os.PathLike[str], bytes, bytearray, memoryview, IO[bytes], "Image"]
"""A path, the bytes of an image file, a file that is open for reading bytes, or a PIL image."""

PNG_MODES = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})


def photo_bytes(photo: Any) -> bytes:
    """The bytes of an image file. Files are sent as they are; a PIL image becomes a PNG, upright, of its current frame.

    Args:
        photo: see Photo.

    Raises:
        PhotoError: There is no such file, it cannot be read or is empty, or this is no photo.
    """
    try:
        data = _read(photo)
    except (OSError, ValueError) as error:  # a path may be none, a file closed, an image cut off
        raise PhotoError(f"cannot read the photo: {error}", type=type(error).__name__) from error
    if not data:
        raise PhotoError("the photo is empty; send the bytes of an image file", type="BadRequest")
    return data


def _read(photo: Any) -> bytes:
    if isinstance(photo, bytes | bytearray | memoryview):
        return bytes(photo)
    if isinstance(photo, str) and photo.startswith(("http://", "https://")):
        raise PhotoError(f"{photo[:80]} is a link, which is not fetched; send the file", type="UrlNotAllowed")
    if isinstance(photo, str | os.PathLike):
        return Path(photo).read_bytes()
    if _is_pil_image(photo):
        return _png(photo)
    if hasattr(photo, "read"):
        data = cast(IO[bytes], photo).read()
        if isinstance(data, bytes):
            return data
        raise PhotoError("the file is open for reading text; open it with mode 'rb'", type="TypeError")
    raise PhotoError(
        f"a photo is a path, the bytes of an image file, an open file or a PIL image, not {photo!r:.40}",
        type="TypeError",
    )


def _is_pil_image(photo: Any) -> bool:
    # Who has an image has imported PIL; nobody else needs it.
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(photo, module.Image)


def _png(image: "Image") -> bytes:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode not in PNG_MODES:
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    file = BytesIO()
    upright.save(file, "PNG", compress_level=1)
    return file.getvalue()
