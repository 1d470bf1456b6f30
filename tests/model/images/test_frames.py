"""Of files with several frames the largest is read, of those of one size that with the most detail."""

from io import BytesIO
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from resformer.model.errors import ImageTooLarge
from resformer.model.images import loading
from resformer.model.images.containers.container import MAX_FRAMES
from resformer.model.images.loading import LoadedPhoto, load_frame

SIZE = (300, 200)
BLANK = Image.new("RGB", SIZE, "white")


def pack(text: str = "500 g", size: tuple[int, int] = SIZE) -> Image.Image:
    image = Image.new("RGB", size, (200, 220, 180))
    ImageDraw.Draw(image).text((size[0] * 0.1, size[1] * 0.2), text, "black", ImageFont.load_default(size[1] * 0.4))
    return image


def file_of(frames: list[Image.Image], format: str) -> bytes:
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]} if frames[1:] else {}
    buffer = BytesIO()
    frames[0].save(buffer, format, **options)
    return buffer.getvalue()


def chosen(frames: list[Image.Image], format: str) -> int:
    loaded = load_frame(file_of(frames, format))
    assert loaded.frames == len(frames)
    assert np.abs(loaded.pixels.astype(int) - np.asarray(frames[loaded.frame - 1])).mean() < 8
    return loaded.frame


ANIMATED = pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])


@ANIMATED
def test_blank_and_blurred_frames_are_passed_over(format: str) -> None:
    assert chosen([BLANK, pack()], format) == 2
    assert chosen([pack(), BLANK], format) == 1
    assert chosen([BLANK, pack().filter(ImageFilter.GaussianBlur(6)), pack()], format) == 3
    assert chosen([Image.blend(BLANK, pack(), 0.2), Image.blend(BLANK, pack(), 0.6), pack(), BLANK], format) == 3
    assert chosen([Image.new("RGB", SIZE, "navy"), pack(""), pack("5"), pack()], format) == 4


@ANIMATED
def test_the_first_of_like_frames_is_taken(format: str) -> None:
    turned = pack().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert chosen([pack(), turned, pack()], format) == 1


@pytest.mark.parametrize("scale", [0.1, 0.4, 0.8])
def test_the_largest_page_is_taken(scale: float) -> None:
    small = pack().resize((round(SIZE[0] * scale), round(SIZE[1] * scale)))
    for pages, position in (([small, pack()], 2), ([pack(), small], 1), ([small, small, pack(), small], 3)):
        loaded = load_frame(file_of(pages, "TIFF"))
        assert (loaded.frame, loaded.frames, loaded.pixels.shape) == (position, len(pages), (200, 300, 3))


def test_ten_frames_are_compared() -> None:
    # Two greys: a GIF joins frames that are equal.
    blanks = [Image.new("RGB", SIZE, "white"), Image.new("RGB", SIZE, "silver")] * 6
    assert chosen([*blanks[: MAX_FRAMES - 1], pack()], "GIF") == MAX_FRAMES
    assert chosen([*blanks[:MAX_FRAMES], pack()], "GIF") == 1


def test_the_mask_of_a_page_is_no_photo() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 2, SIZE[::-1], np.uint8) * 255)
    buffer = BytesIO()
    noise.encoderinfo = {"tiffinfo": {254: 4}}
    pack().save(buffer, "TIFF", save_all=True, append_images=[noise])
    loaded = load_frame(buffer.getvalue())
    assert (loaded.frame, loaded.frames) == (1, 2)


@pytest.mark.parametrize("fraction", [0.75, 0.9])
@pytest.mark.parametrize("format", ["GIF", "TIFF"])
def test_damage_after_the_first_frame_leaves_it(format: str, fraction: float) -> None:
    noise = [Image.fromarray(np.random.default_rng(i).integers(0, 256, (80, 90, 3), np.uint8)) for i in range(3)]
    data = file_of(noise, format)
    whole = load_frame(data)
    cut = load_frame(data[: int(len(data) * fraction)])
    assert (cut.pixels == whole.pixels).all()
    assert cut.frame == whole.frame == 1


def test_pages_with_too_many_pixels() -> None:
    data = file_of([pack(size=(30, 20)), pack()], "TIFF")
    with pytest.raises(ImageTooLarge, match="frame 2 of the photo has 300 x 200 pixels, more than the 59999"):
        load_frame(data, max_pixels=300 * 200 - 1)
    # Frames after so many pixels are not compared, which bounds the time.
    several = file_of([BLANK, BLANK, pack()], "TIFF")
    assert load_frame(several, max_pixels=3 * 300 * 200 - 1).frame == 1
    assert load_frame(several, max_pixels=3 * 300 * 200).frame == 3


def test_the_previews_of_a_camera_are_no_frames() -> None:
    buffer = BytesIO()
    BLANK.save(buffer, "MPO", save_all=True, append_images=[pack()])
    loaded = load_frame(buffer.getvalue())
    assert (loaded.frame, loaded.frames) == (1, 1)
    assert loaded.pixels.min() > 250


def test_one_frame() -> None:
    for photo in (file_of([pack()], "GIF"), file_of([pack()], "JPEG"), pack(), np.asarray(pack())):
        loaded = load_frame(photo)
        assert isinstance(loaded, LoadedPhoto)
        assert (loaded.frame, loaded.frames) == (1, 1)


@pytest.mark.parametrize("sizes", [[SIZE], [(20, 10), SIZE], [(20, 10), SIZE, SIZE]])
def test_large_frames_are_decoded_one_at_a_time_wherever_they_are(
    sizes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = MagicMock()
    monkeypatch.setattr(loading, "_one_large", lock)
    monkeypatch.setattr(loading, "LARGE", SIZE[0] * SIZE[1] - 1)
    load_frame(file_of([pack(size=size) for size in sizes], "TIFF"))
    assert lock.__enter__.call_count == lock.__exit__.call_count == sizes.count(SIZE)
    lock.reset_mock()
    load_frame(file_of([pack(size=(20, 10))], "TIFF"))
    assert not lock.__enter__.called


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1)])
def test_frames_may_be_narrow(size: tuple[int, int]) -> None:
    data = file_of([Image.new("RGB", size, "white"), Image.new("RGB", size, "black")], "TIFF")
    assert load_frame(data).pixels.shape == (size[1], size[0], 3)
