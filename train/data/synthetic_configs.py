"""Configs of the synthetic data set: the smallest network, in a minute or two on two CPU cores."""

__all__ = ["CONFIGS"]

QUANTITIES = """\
part: quantities
preset: nano
sources:
  - kind: challenge
    labels: amazon/labels_train.csv
    photos: amazon/train
    ocr: amazon/words_train.jsonl.gz
  - kind: hand
    labels: hand/labels_hand_train.csv
    photos: hand/train
    ocr: hand/words_train.jsonl.gz
  - kind: unlabelled
    labels: amazon/unlabelled.csv
    photos: amazon/unlabelled
    ocr: amazon/words_unlabelled.jsonl.gz
max_minutes: 5
epochs: 5
batch_size: 8
learning_rate: 0.001
ema_decay: 0.95
p_negative_question: 0.3
val_fraction: 0.15
evaluate_every: 5
"""

TEXT_DETECTOR = """\
part: text_detector
preset: nano
sources:
  - photos: amazon/train
    ocr: amazon/words_train.jsonl.gz
  - photos: hand/train
    ocr: hand/words_train.jsonl.gz
pretrained_ocr: ppocrv6-tiny
max_minutes: 5
epochs: 4
batch_size: 4
learning_rate: 0.0005
ema_decay: 0.95
crop_side: 160
val_fraction: 0.15
evaluate_every: 2
"""

TEXT_RECOGNIZER = """\
part: text_recognizer
preset: nano
sources:
  - photos: amazon/train
    ocr: amazon/words_train.jsonl.gz
  - photos: hand/train
    ocr: hand/words_train.jsonl.gz
pretrained_ocr: ppocrv6-tiny
max_minutes: 5
epochs: 4
batches_per_epoch: 20
batch_size: 16
learning_rate: 0.0005
ema_decay: 0.95
p_drawn: 0.0 # above 0 the fonts of `make fonts` are needed
val_fraction: 0.15
evaluate_every: 2
"""

FASHION = """\
  - table: fashion/styles_{split}.csv
    photos: fashion/{split}
    image_column: id
    title_column: productDisplayName
    label_columns:
      gender: gender
      baseColour: baseColour
      season: season
      usage: usage
      category: {category}
      title: productDisplayName
"""

OTHERS = """\
  - table: hm/articles_{split}.csv
    photos: hm/{split}
    image_column: article_id
    title_column: prod_name
    label_columns:
      description: detail_desc
  - table: flipkart/products_{split}.csv
    photos: flipkart/{split}
    image_column: image
    title_column: product_name
    description_column: description
    label_columns:
      retail_category: category
"""

ATTRIBUTES = f"""\
part: attributes
preset: nano
sources:
{FASHION.format(split="train", category="articleType")}{OTHERS.format(split="train")}max_minutes: 5
epochs: 12
batch_size: 16
image_size: 96
learning_rate: 0.002
ema_decay: 0.95
freeze_blocks: 0
val_fraction: 0.15
evaluate_every: 6
"""

ATTRIBUTES_VAL = f"""\
# Tables that nothing is trained on, for benchmarks.
sources:
{FASHION.format(split="val", category="masterCategory > subCategory > articleType")}{OTHERS.format(split="val")}"""

CONFIGS = {
    "quantities": QUANTITIES,
    "text_detector": TEXT_DETECTOR,
    "text_recognizer": TEXT_RECOGNIZER,
    "attributes": ATTRIBUTES,
    "attributes-val": ATTRIBUTES_VAL,
}
