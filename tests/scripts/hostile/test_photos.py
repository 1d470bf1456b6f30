"""Every hostile photo is answered within bounds, and with no error but ours."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from resformer.model.errors import ResformerError
from resformer.model.images.loading import decode_photo
from resformer.scripts.hostile.case import Case
from resformer.scripts.hostile.photos import CASES

# Times the processor time of the largest ordinary photo; the longest-lasting case takes about four times as long.
MAX_TIME = 12
MAX_MEMORY = 512  # MiB above a process that has decoded nothing
LARGEST = (
    "JPEG: 50 megapixels",
    "JPEG: 24 scans of 40 megapixels",
    "PNG: 20 megapixels with transparency",
    "TIFF: 50 megapixels, grey",
    "WebP: 14 megapixels",
)
MEASURE_MEMORY = """
import sys
from pathlib import Path
from resformer.model.images.loading import decode_photo

def kilobytes(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key))

bodies = [Path(name).read_bytes() for name in sys.argv[1:]]
idle = kilobytes("VmRSS")
for body in bodies:
    decode_photo(body)
print((kilobytes("VmHWM") - idle) // 1024)
"""


def _cpu_time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@pytest.fixture(scope="module")
def largest_time() -> float:
    """Seconds that the largest ordinary photo takes."""
    body = next(case for case in CASES if case.name == LARGEST[0]).make().body
    return _cpu_time(lambda: decode_photo(body))


def test_there_are_many_cases_with_names_of_their_own() -> None:
    assert len(CASES) >= 80
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_photo_is_answered_within_bounds(case: Case, largest_time: float) -> None:
    body = case.make().body
    assert len(body) <= 20_000_000
    status = 200

    def decode() -> None:
        nonlocal status
        try:
            decode_photo(body)
        except ResformerError as error:
            status = error.status
            assert len(str(error)) < 300
            assert any(word in str(error) for word in ("send", "save"))

    assert _cpu_time(decode) < MAX_TIME * largest_time
    assert status in case.statuses


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_largest_photos_that_are_taken_need_little_memory(tmp_path: Path) -> None:
    files = [tmp_path / str(i) for i in range(len(LARGEST))]
    for file, name in zip(files, LARGEST, strict=True):
        file.write_bytes(next(case for case in CASES if case.name == name).make().body)
    result = subprocess.run(
        [sys.executable, "-c", MEASURE_MEMORY, *files], capture_output=True, text=True, check=True, timeout=120
    )
    # A photo of 50 megapixels has 143 MiB of pixels.
    assert 143 < int(result.stdout) < MAX_MEMORY
