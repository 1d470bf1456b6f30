"""The photo that a user of the page chose."""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from resformer.model.errors import ResformerError
from resformer.model.images.loading import load_frame

__all__ = ["MAX_PHOTO_BYTES", "PhotoFile", "PhotoFileError", "picture_uri", "read_upload"]

MAX_PHOTO_BYTES = 20_000_000
PREVIEW_SIDE = 1400
MAX_NAME = 120


class PhotoFileError(Exception):
    """The file cannot be used as a photo; the message is for the user of the page."""


@dataclass(frozen=True)
class PhotoFile:
    """A photo as it was chosen.

    Attributes:
        name: Of the file, as the copied commands write it.
        data: Its bytes.
        preview: A picture of it, upright, as a data URI.
        width, height: Pixels of the upright photo.
    """

    name: str
    data: bytes
    preview: str
    width: int
    height: int

    @classmethod
    def decode(cls, name: str, data: bytes) -> "PhotoFile":
        """The photo in these bytes.

        Raises:
            PhotoFileError: They are none.
        """
        try:
            pixels = load_frame(data).pixels
        except ResformerError as error:
            raise PhotoFileError(f"{_shown(name)} cannot be read: {error}.") from error
        height, width = pixels.shape[:2]
        return cls(name, data, picture_uri(Image.fromarray(pixels), PREVIEW_SIDE), width, height)


def read_upload(path: str, name: str, uploads: Path) -> PhotoFile:
    """A photo that the browser uploaded.

    Args:
        path: Where the page's server keeps it, as the browser says.
        name: Of the user's file.
        uploads: The folder of uploads; nothing outside of it is read.

    Raises:
        PhotoFileError: It is no photo, or no upload.
    """
    file = Path(path).resolve()
    if not file.is_relative_to(uploads.resolve()) or not file.is_file():
        raise PhotoFileError("The upload is gone. Choose the photo again.")
    if (size := file.stat().st_size) > MAX_PHOTO_BYTES:
        raise PhotoFileError(
            f"{_shown(name)} has {size / 1e6:.0f} MB; a photo may have {MAX_PHOTO_BYTES // 1_000_000}. "
            "Choose a smaller one."
        )
    return PhotoFile.decode(name, file.read_bytes())


def picture_uri(photo: Image.Image, side: int) -> str:
    """A data URI of a photo whose longer side has at most so many pixels."""
    photo = photo.convert("RGB")
    photo.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    photo.save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode()}"


def _shown(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
