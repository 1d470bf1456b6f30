"""The subword vocabulary: a byte-level BPE, learned from OCR caches and columns of tables."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from resformer.model.files.tables import read_table
from resformer.model.files.whole_file import saved_whole
from resformer.model.inference.tokenizer import SUBWORDS_FILE
from resformer.train.data.quantity_records import read_ocr_cache

__all__ = ["VOCABULARY_SIZE", "build_vocabulary", "learn_subwords"]

VOCABULARY_SIZE = 8192


def build_vocabulary(sources: Sequence[str], out: Path | None = None) -> Path:
    """Learns the subwords of texts and writes them; returns the file.

    Args:
        sources: OCR caches (`words.jsonl.gz`) and columns of tables (`titles.csv:name`).
        out: None = the file of the package; weights that were trained with another one no longer fit.

    Raises:
        ValueError: a table has no such column.
        OSError: a file cannot be read.
    """
    out = out or SUBWORDS_FILE
    tokenizer = learn_subwords(text for source in sources for text in _texts(source))
    out.parent.mkdir(parents=True, exist_ok=True)
    with saved_whole(out) as part:
        tokenizer.save(str(part))
    return out


def learn_subwords(texts: Iterator[str]) -> Tokenizer:
    """A byte-level BPE of VOCABULARY_SIZE subwords in which every digit is one of its own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        special_tokens=[],
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _texts(source: str) -> Iterator[str]:
    """Text lines in lower case, as words are encoded, or the cells of a column as they are."""
    path, _, column = source.partition(":")
    if not column:
        for record in read_ocr_cache(Path(path)).values():
            yield from (line.text.lower() for line in record.lines)
        return
    for row in read_table(Path(path), column, needs_rows=True):
        yield row[column]
