"""Orientation in EXIF and XMP, wherever files have it: as Pillow, which reads all metadata, finds it."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from resformer.model.images.loading import decode_photo
from resformer.model.images.orientation import exif_orientation, orientation_of, xmp_orientation

XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'


def exif_block(orientation: int, order: str = "<", prefix: bytes = b"Exif\0\0") -> bytes:
    """EXIF of two tags."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    tags = struct.pack(f"{order}HHII", 0x0100, 4, 1, 7) + struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    return prefix + start + struct.pack(f"{order}IH", 8, 2) + tags + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("prefix", [b"Exif\0\0", b""])
def test_exif_of_both_byte_orders(order: str, prefix: bytes) -> None:
    assert [exif_orientation(exif_block(i, order, prefix)) for i in range(1, 9)] == list(range(1, 9))


@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"II*\0", exif_block(0), exif_block(9), exif_block(6)[:30]])
def test_what_is_no_orientation(block: bytes) -> None:
    assert exif_orientation(block) is None
    assert orientation_of(block, None) == 1


def test_xmp_where_exif_says_nothing() -> None:
    assert xmp_orientation(b"<tiff:Orientation>3</tiff:Orientation>") == 3
    assert xmp_orientation(XMP % 9) is None
    assert orientation_of(None, XMP % 6) == 6
    assert orientation_of(exif_block(8), XMP % 6) == 8


def _files() -> dict[str, bytes]:
    image = Image.fromarray(np.arange(12 * 20 * 3, dtype=np.uint8).reshape(12, 20, 3))

    def saved(format: str, **options: object) -> bytes:
        file = BytesIO()
        image.save(file, format, **options)
        return file.getvalue()

    xmp, raw = PngImagePlugin.PngInfo(), PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", (XMP % 6).decode(), zip=True)
    block = exif_block(8).hex()
    raw.add_text("Raw profile type exif", f"\nexif\n{len(block) // 2:8}\n{block}\n", zip=True)
    return {
        "JPEG, XMP": saved("JPEG", xmp=XMP % 5),
        "WebP, XMP": saved("WEBP", xmp=XMP % 7, lossless=True),
        "PNG, XMP": saved("PNG", pnginfo=xmp),
        "PNG, raw EXIF": saved("PNG", pnginfo=raw),
        "TIFF, XMP": saved("TIFF", tiffinfo={700: XMP % 6}),
    }


@pytest.mark.parametrize("name", _files())
def test_files_are_turned_as_pillow_turns_them(name: str) -> None:
    data = _files()[name]
    expected = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(data))))
    assert np.array_equal(decode_photo(data), expected)
