"""What the page asks about a photo."""

from dataclasses import dataclass

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """What is asked about one photo.

    Attributes:
        entities: Names; none asks everything.
        title, description: Texts that came with the photo.
        reader: How the text is read; "" leaves that to the source.
        assume_present: Whether the product is known to have the values that are asked for.
    """

    entities: tuple[str, ...] = ()
    title: str = ""
    description: str = ""
    reader: str = ""
    assume_present: bool = False

    def fields(self) -> dict[str, str]:
        """The fields of a form with this question, without those that have their default."""
        given = {
            "entity_name": ",".join(self.entities),
            "title": self.title,
            "description": self.description,
            "reader": self.reader,
            "assume_present": "true" if self.assume_present else "",
        }
        return {name: value for name, value in given.items() if value}
