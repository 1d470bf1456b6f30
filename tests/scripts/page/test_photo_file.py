import base64
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from resformer.scripts.page.photo_file import MAX_PHOTO_BYTES, PhotoFile, PhotoFileError, picture_uri, read_upload
from tests.scripts.conftest import jpeg


def decoded(uri: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(BytesIO(base64.b64decode(data)))


def test_a_photo_is_upright_and_its_preview_is_small() -> None:
    buffer = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (3000, 1000)).save(buffer, "JPEG", exif=exif)
    photo = PhotoFile.decode("x.jpg", buffer.getvalue())
    assert (photo.width, photo.height) == (1000, 3000)
    assert decoded(photo.preview).size == (467, 1400)


def test_an_upload_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(jpeg(40, 30))
    photo = read_upload(str(tmp_path / "a"), "mine.jpg", tmp_path)
    assert (photo.name, photo.width, photo.height, photo.data) == ("mine.jpg", 40, 30, jpeg(40, 30))


def test_nothing_outside_of_the_uploads_is_read(tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (tmp_path / "secret.jpg").write_bytes(jpeg())
    (uploads / "link").symlink_to(tmp_path / "secret.jpg")
    for path in (tmp_path / "secret.jpg", uploads / ".." / "secret.jpg", uploads / "link", uploads / "none", uploads):
        with pytest.raises(PhotoFileError, match="The upload is gone"):
            read_upload(str(path), "x.jpg", uploads)


def test_what_is_no_photo_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PhotoFileError, match=r"notes\.txt cannot be read: the bytes are not a photo; send a JPEG"):
        PhotoFile.decode("notes.txt", b"no photo")
    with pytest.raises(PhotoFileError, match=r"cut\.jpg cannot be read: .*"):
        PhotoFile.decode("cut.jpg", jpeg(400, 300)[:300])
    with open(tmp_path / "large", "wb") as file:
        file.truncate(MAX_PHOTO_BYTES + 1)
    with pytest.raises(PhotoFileError, match=r"large\.jpg has 20 MB; a photo may have 20"):
        read_upload(str(tmp_path / "large"), "large.jpg", tmp_path)


def test_a_picture_has_no_transparency() -> None:
    assert decoded(picture_uri(Image.new("RGBA", (50, 20)), 25)).size == (25, 10)
