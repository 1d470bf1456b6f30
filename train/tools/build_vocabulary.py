"""Learns the subwords of text from words read on photos and from catalogue titles.

python -m train.tools.build_vocabulary WORDS.jsonl.gz ... TITLES.csv:COLUMN ...
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from resformer.model.inference.tokenizer import SUBWORDS_FILE
from resformer.train.data.quantity_records import read_words

SUBWORDS = 1024


def texts(source: str) -> Iterator[str]:
    """Words of a photo set in lower case, as the word stream sees them, or a column of a CSV as it is."""
    path, _, column = source.partition(":")
    if not column:
        for record in read_words(Path(path)).values():
            yield from (line.text.lower() for line in record.lines)
        return
    with open(path, newline="", encoding="utf-8") as file:
        yield from (row[column] for row in csv.DictReader(file))


def learn(sources: list[str]) -> Tokenizer:
    """A byte-level BPE in which every digit is a token of its own."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SUBWORDS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        special_tokens=[],
    )
    tokenizer.train_from_iterator((t for source in sources for t in texts(source)), trainer)
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sources", nargs="+", help="JSON-lines file of words, or CSV:COLUMN")
    parser.add_argument("--output", type=Path, default=SUBWORDS_FILE)
    args = parser.parse_args()
    tokenizer = learn(args.sources)
    tokenizer.save(str(args.output))
    print(f"{args.output}: {tokenizer.get_vocab_size()} subwords")


if __name__ == "__main__":
    main()
