"""What a run would meet, without answering anything."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from resformer.model.errors import ResformerError
from resformer.model.files.photo_names import PhotoFolder, link_identity
from resformer.scripts.lib.journal import Journal
from resformer.scripts.lib.score_table import ScoreOptions, prepare_run

__all__ = ["DryRun", "dry_run"]

SHOWN_PROBLEMS = 20


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
    run = prepare_run(options)
    found = DryRun()
    with TemporaryDirectory() as folder, Journal(Path(folder) / "journal", "") as journal:
        journal.add(run.questions(), options.table)
        problem = _photo_problem(options, journal)
        unknown: set[str] = set()
        last = None
        for questions in journal.questions():
            found.questions += len(questions.entities)
            for name in questions.entities:
                try:
                    run.schema[name]
                except ResformerError as error:
                    if name not in unknown:
                        unknown.add(name)
                        found.add_problem(f"{type(error).__name__}: {error}")
            if questions.image != last:
                last = questions.image
                found.photos += 1
                if text := problem(questions.image):
                    found.add_problem(f"{questions.image or '(an empty cell)'}: {text}")
    return found


def _photo_problem(options: ScoreOptions, journal: Journal) -> Callable[[str], str]:
    """Tells of a cell why it has no photo; "" where it has one, or a link to one."""
    if options.photos is None:
        return lambda image: "" if image.lower().startswith(("http://", "https://")) else "not an http or https link"
    folder = PhotoFolder(options.photos)
    same_file = journal.images_of_one_file(folder.find, link_identity)

    def problem(image: str) -> str:
        if image in same_file:
            return f"the file name is that of {same_file[image]}, so both would get one photo"
        return "" if folder.find(image) else folder.looked_for(image)

    return problem
