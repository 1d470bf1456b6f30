"""What a run would meet, without answering anything."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from resformer.model.errors import ResformerError
from resformer.model.schema.schema import Schema
from resformer.scripts.lib.locations import OBJECT_STORES
from resformer.scripts.lib.photo_sources import FolderPhotos, IndexedPhotos, PhotoSource
from resformer.scripts.lib.score_options import ScoreOptions
from resformer.scripts.lib.score_run import opened_run

__all__ = ["DryRun", "dry_run"]

SHOWN_PROBLEMS = 20
LINKS = ("http://", "https://", *OBJECT_STORES)


@dataclass
class DryRun:
    """A table as it was found.

    Attributes:
        questions, photos: How many there are; a photo counts once.
        problems: How many photos are not there, and names of entities that nobody knows.
        first_problems: The first of them, in words.
    """

    questions: int = 0
    photos: int = 0
    problems: int = 0
    first_problems: list[str] = field(default_factory=list)

    def add_problem(self, text: str) -> None:
        """Counts a problem, and keeps the first."""
        self.problems += 1
        if len(self.first_problems) < SHOWN_PROBLEMS:
            self.first_problems.append(text)

    def as_text(self) -> str:
        """Counts, and a line for each of the first problems."""
        lines = [f"{self.questions} questions about {self.photos} photos, {self.problems} problems"]
        lines += self.first_problems
        if self.problems > len(self.first_problems):
            lines.append(f"... and {self.problems - len(self.first_problems)} more")
        return "\n".join(lines)


def dry_run(options: ScoreOptions) -> DryRun:
    """Reads the whole table and looks for its photos; links are not downloaded.

    Raises:
        UnusableFile, ValueError: As score_table.
    """
    found = DryRun()
    with TemporaryDirectory() as folder, opened_run(options, Path(folder) / "journal", str) as run:
        for place, fault in run.journal.faults():
            found.questions += 1
            found.add_problem(f"row {place}: {fault}")
        unknown: set[str] = set()
        last = None
        for questions in run.journal.questions():
            found.questions += len(questions.entities)
            for name in questions.entities:
                if name not in unknown and (text := _unknown(name, run.schema)):
                    unknown.add(name)
                    found.add_problem(text)
            if questions.image != last:
                last = questions.image
                found.photos += 1
                if text := _missing(questions.image, run.photos):
                    found.add_problem(f"{questions.image or '(an empty cell)'}: {text}")
    return found


def _unknown(name: str, schema: Schema) -> str:
    try:
        schema[name]
    except ResformerError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _missing(image: str, photos: PhotoSource) -> str:
    """Why a cell has no photo; "" where it has one, or a link to one."""
    try:
        if isinstance(photos, FolderPhotos | IndexedPhotos) and (first := photos.same_file.get(image)):
            return f"the file name is that of {first}, so both would get one photo"
        if isinstance(photos, FolderPhotos):
            return "" if photos.folder.find(image) else photos.folder.looked_for(image)
        if isinstance(photos, IndexedPhotos):
            return "" if photos.index.place(image) else f"{photos.origin} has no such photo"
    except ValueError as error:  # also UnusableFile
        return str(error)
    return "" if image.lower().startswith(LINKS) else "no link"
