"""What a scoring run is asked to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resformer.client.address import DEFAULT_URL as EXAMPLE_URL
from resformer.model.files.whole_file import UnusableFile, file_digest
from resformer.scripts.engines.engine_name import EngineName
from resformer.scripts.lib.downloads import CACHE_BYTES, MAX_AGE, DownloadLimits
from resformer.scripts.lib.locations import Location, beside, location, refuse_overwriting_any, refuse_unwritable
from resformer.scripts.lib.packed_photos import is_shards

__all__ = ["ScoreOptions", "answer_settings", "check_options"]


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """What to score, with what, into which files.

    Attributes:
        table: A table of questions, one a row, or of products where `entities` are given.
        out: The table of answers.
        table_format, out_format: How they are written (a TableFormat's value); None takes it from their names.
        entities: Names; each is asked about every row.
        photos: Where the photos are: a folder of this machine or of an object store, or tar files as `shards` takes
            them; None takes them from the table's column, or downloads them.
        cache: The folder of downloaded photos; None is `out` with the suffix `.images`.
        cache_bytes, cache_max_age: See PhotoCache and Downloader.
        downloads: How patient downloads are, and how hard they press; None is the default.
        limit: Rows at the table's beginning that are scored; None scores all.
        weights, schema: Other files than the shipped ones.
        endpoints: Addresses of servers that answer in place of a network of this machine.
        token: The servers' inference key.
        key_files: TorchServe's files with the key: one for all servers, or one for each.
        concurrency: Photos under way at each server, at most.
        reader: How text is read; None is the default of the weights or of the server.
        jobs: Photos that are fetched and answered at once.
        engine: What answers; AUTO is ENDPOINT where there are endpoints.
        workers, batch, address: See make_engine.
        device: Where the network computes, as torch names it.
        summary: A JSON file for how many questions were answered, by entity.
        details: A file for all keys of every answer, JSON lines.
        min_confidence: As that of Predictor.predict.
        assume_present: As that of Predictor.predict; None is True for a table of questions, whose rows name what the
            products have, and False for one of products.
        resume: Whether to resume an interrupted run.
    """

    table: Location
    out: Location
    table_format: str | None = None
    out_format: str | None = None
    entities: Sequence[str] = ()
    photos: Path | str | None = None
    cache: Path | None = None
    cache_bytes: int = CACHE_BYTES
    cache_max_age: float = MAX_AGE
    downloads: DownloadLimits | None = None
    limit: int | None = None
    weights: Path | None = None
    schema: Path | None = None
    endpoints: Sequence[str] = ()
    token: str = ""
    key_files: Sequence[Path] = ()
    concurrency: int = 64
    reader: str | None = None
    jobs: int = 4
    engine: EngineName = EngineName.AUTO
    workers: int | None = None
    batch: int = 1
    address: str | None = None
    device: str = "cpu"
    summary: Path | None = None
    details: Location | None = None
    min_confidence: float | None = None
    assume_present: bool | None = None
    resume: bool = False

    @property
    def presumes_values(self) -> bool:
        """The value of `assume_present`."""
        return not self.entities if self.assume_present is None else self.assume_present

    @property
    def errors(self) -> Location:
        """The table of the rows without an answer."""
        return self.out.with_suffix(".errors.csv")

    @property
    def journal(self) -> Path:
        """The journal of an unfinished run; in the working folder where `out` is remote."""
        return beside(self.out, f"{self.out.name}.journal")

    @property
    def photo_index(self) -> Path:
        """The index of the photos, while a run needs one."""
        return beside(self.out, f"{self.out.name}.photos")

    @property
    def photo_bytes(self) -> Path:
        """The photos that a column of the table holds, during a run."""
        return beside(self.out, f"{self.out.name}.photos.bytes")

    @property
    def cache_folder(self) -> Path:
        """The value of `cache`."""
        return self.cache or beside(self.out, self.out.with_suffix(".images").name)


def check_options(options: ScoreOptions) -> None:
    """Raises UnusableFile or ValueError where options exclude each other, or a file would be lost or cannot be used."""
    out = options.out
    refuse_unwritable(out)
    if options.details:
        refuse_unwritable(options.details)
    if options.photos and options.cache:
        raise ValueError("--photos and --cache exclude each other: photos of a folder are not downloaded")
    photos = options.photos and location(options.photos)
    if isinstance(photos, Path) and not is_shards(str(photos)) and not photos.is_dir():
        raise UnusableFile(f"--photos {photos} is not a folder")
    inputs = [options.table, options.weights, options.schema, *options.key_files]
    working = [options.journal, options.photo_index, options.photo_bytes]
    refuse_overwriting_any(inputs, [out, options.errors, options.details, options.summary, *working])
    refuse_overwriting_any([out], [options.errors, options.details, options.summary])
    refuse_overwriting_any([options.errors, options.details], [options.summary])
    if options.endpoints and options.engine not in (EngineName.AUTO, EngineName.ENDPOINT):
        raise ValueError(f"--engine {options.engine} and --endpoint exclude each other: the server answers")
    if options.engine is EngineName.ENDPOINT and not options.endpoints:
        raise ValueError(f"--engine endpoint asks servers; name them, such as --endpoint {EXAMPLE_URL}")
    if options.address and options.engine is not EngineName.RAY:
        raise ValueError("--address is that of a Ray cluster; add --engine ray")
    if options.journal.exists() and not options.resume:
        raise UnusableFile(f"{options.journal} is of an interrupted run; add --resume, or delete it")


def answer_settings(options: ScoreOptions) -> str:
    """Whatever changes answers, as a journal keeps it. Raises UnusableFile: weights or schema cannot be read."""
    settings = [f"reader {options.reader or 'by default'}"]
    if options.device != "cpu":
        settings.append(f"--device {options.device}")
    if options.batch > 1:
        settings.append(f"--batch {options.batch}")
    if options.min_confidence is not None:
        settings.append(f"--min-confidence {options.min_confidence}")
    settings.append("--assume-present" if options.presumes_values else "--no-assume-present")
    if options.endpoints:
        return ", ".join([*settings, f"server {', '.join(options.endpoints)}"])
    from resformer.model.inference.checkpoint import DEFAULT_WEIGHTS  # imports torch

    settings.append(f"weights {_digest(options.weights or DEFAULT_WEIGHTS)}")
    if options.schema:
        settings.append(f"schema {_digest(options.schema)}")
    return ", ".join(settings)


def _digest(path: Path) -> str:
    try:
        return file_digest(path)[:16]
    except OSError as error:
        raise UnusableFile(f"cannot load the network: cannot read {path}: {error.strerror}") from error
