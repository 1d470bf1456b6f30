"""The processor time of the stages of answering."""

import io
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageDraw, ImageFont

from resformer.model.predictor import Predictor
from resformer.model.runtime.stage_times import STAGES, counted_stages, stage


def compute(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_only_computing_in_a_stage_counts_in_any_thread() -> None:
    def detect() -> None:
        with stage("detect"):
            compute(0.02)
            time.sleep(0.05)

    detect()  # nobody listens
    with counted_stages() as times, ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(detect) for _ in range(3)]:
            done.result()
        compute(0.02)
    assert times.seconds["detect"] == pytest.approx(0.06, abs=0.015)
    assert {name for name, seconds in times.seconds.items() if seconds} == {"detect"}


def test_there_is_one_listener() -> None:
    with counted_stages():
        with pytest.raises(RuntimeError, match="counted already"), counted_stages():
            pass
        with stage("decode"):
            pass
    with counted_stages() as times:
        assert times.seconds == dict.fromkeys(STAGES, 0.0)


@pytest.mark.parametrize("reader", ["builtin", "crops", "ppocr"])
def test_every_stage_of_a_photo_counts(reader: str) -> None:
    photo = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(photo).text((40, 150), "NET WT 500 g", "black", ImageFont.load_default(48))
    file = io.BytesIO()
    photo.save(file, "PNG")
    predictor = Predictor.load(reader=reader, threads=1)
    with counted_stages() as times:
        start = time.process_time()
        predictor.predict(file.getvalue(), min_confidence=0.0)
        in_all = time.process_time() - start
    assert all(seconds > 0 for seconds in times.seconds.values()), times.seconds
    assert sum(times.seconds.values()) <= 1.05 * in_all
