import pickle
import sqlite3
import time
from pathlib import Path

import pytest

from resformer.scripts.lib.photo_cache import CachedPhoto, PhotoCache, PhotoCacheError


def photo(data: bytes) -> CachedPhoto:
    return CachedPhoto(data, '"e"', "", time.time())


def test_keeps_a_photo_and_what_its_server_called_it(tmp_path: Path) -> None:
    kept = photo(b"bytes")
    PhotoCache(tmp_path / "deep" / "cache", 10**9).put("link", kept)
    cache = PhotoCache(tmp_path / "deep" / "cache", 10**9)
    assert cache.get("link") == kept
    file = cache.file("link")
    assert file is not None and file.read_bytes() == b"bytes"
    cache.remove("link")
    assert cache.get("link") is None and cache.file("link") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path, 1_000_000)
    for i in range(20):
        cache.put(f"early {i}", photo(bytes(40_000)))
    for _ in range(3):
        time.sleep(0.01)
        assert cache.get("early 0")
    for i in range(8):
        cache.put(f"late {i}", photo(bytes(40_000)))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.val")) <= 1_000_000
    assert cache.get("early 0") and cache.get("late 7")
    assert cache.get("early 1") is None


def test_a_file_that_was_cut_off_is_not_used(tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path, 10**9)
    cache.put("link", photo(b"bytes"))
    file = cache.file("link")
    assert file is not None
    file.write_bytes(b"by")
    assert cache.get("link") is None
    file.unlink()
    assert cache.get("link") is None


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PhotoCacheError, match="cannot use the cache"):
        PhotoCache(tmp_path / "file" / "cache", 10**9)
    (tmp_path / "cache.db").write_text("no data base at all" * 99)
    with pytest.raises(PhotoCacheError, match="cannot use the cache"):
        PhotoCache(tmp_path, 10**9)


def test_no_pickle_is_read(tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path, 10**9)
    cache.put("link", photo(b"bytes"))
    file = cache.file("link")
    assert file is not None
    file.write_bytes(pickle.dumps(b"bytes"))
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        connection.execute("UPDATE Cache SET mode = 4")
    with pytest.raises(PhotoCacheError, match="delete it"):
        cache.get("link")
