"""What all tabs of the page build on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resformer.model.schema.schema import Entity, Schema
from resformer.scripts.page.answer_sources import Source
from resformer.scripts.page.photo_file import PhotoFile, PhotoFileError, read_upload
from resformer.scripts.page.row_view import KINDS

__all__ = ["IN_TURN", "PRIVATE", "PageContext"]

PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Options of every event: components show themselves that they wait, and no event is an API."""
IN_TURN: dict[str, Any] = {**PRIVATE, "trigger_mode": "multiple"}
"""Options of events of which each is handled, in the order in which they came, so that the last one is what stays."""


@dataclass(frozen=True)
class PageContext:
    """What answers the page, and its files.

    Attributes:
        sources: What answers; the first one by default.
        schema: The entities.
        schema_file: Its file; None is the shipped one.
        samples: The file of each sample photo.
        folder: Of uploads and results.
    """

    sources: Sequence[Source]
    schema: Schema
    schema_file: Path | None
    samples: Mapping[str, Path]
    folder: Path

    @property
    def readers(self) -> list[str]:
        """Those that any source reads with, the default first."""
        return list(dict.fromkeys(reader for source in self.sources for reader in source.readers))

    @property
    def entities_by_kind(self) -> dict[str, list[Entity]]:
        """The entities of each kind that has some, by its name for people."""
        found = {
            title: [entity for entity in self.schema.entities if entity.kind == kind] for kind, title in KINDS.items()
        }
        return {title: entities for title, entities in found.items() if entities}

    def chosen(self, *groups: Sequence[str]) -> tuple[str, ...]:
        """The entities of the groups of checkboxes; () where all are checked, since none named asks everything."""
        names = [name for group in groups for name in group]
        return () if len(names) == len(self.schema.entities) else tuple(names)

    def sample(self, name: str) -> PhotoFile:
        """A sample photo. Raises PhotoFileError: There is none of this name."""
        if name not in self.samples:
            raise PhotoFileError("There is no such sample photo. Choose another one.")
        path = self.samples[name]
        return PhotoFile.decode(_short(path), path.read_bytes())

    def upload(self, path: str, name: str) -> PhotoFile:
        """An uploaded photo; raises as `read_upload`."""
        return read_upload(path, name, self.folder)


def _short(path: Path) -> str:
    """The path as a command in the current folder names it."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
