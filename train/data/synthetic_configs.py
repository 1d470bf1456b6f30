"""Configs of the synthetic data set: the smallest network, in a minute or two on two CPU cores."""

__all__ = ["CONFIGS", "OWN_ENTITIES"]

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
  - kind: table
    table: fashion/styles_{split}.csv
    photos: fashion/{split}
    image_column: id
    title_column: productDisplayName
    label_columns:
      gender: gender
      baseColour: baseColour
      season: season
      usage: usage
      category: articleType
      title: productDisplayName
    empty_quantities: 1
"""

OTHERS = """\
  - kind: table
    table: hm/articles_{split}.csv
    photos: hm/{split}
    image_column: article_id
    title_column: prod_name
    join:
      table: rows/map_hm.csv
      column: product_type_name
    label_columns:
      category: articleType|category
      description: detail_desc
  - kind: table
    table: flipkart/products_{split}.csv
    photos: flipkart/{split}
    image_column: image
    title_column: product_name
    description_column: description
    join:
      table: rows/map_flipkart.csv
      column: category
    label_columns:
      category: mapped
"""

RESFORMER = f"""\
part: resformer
preset: nano
sources:
  - kind: rows
    rows: rows/rows_train.jsonl
    data: .
    ocr: [hand/words_train.jsonl.gz]
    sampling_weight: 2
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
{FASHION.format(split="train")}{OTHERS.format(split="train")}max_minutes: 10
epochs: 12
batch_size: 16
image_size: 96
learning_rate: 0.002
ema_decay: 0.95
freeze_blocks: 0
val_fraction: 0.15
evaluate_every: 6
"""

STEM = f"""\
# The stem on pictures alone, which the recipe starts the Resformer from.
part: resformer
preset: nano
sources:
{FASHION.format(split="train")}{OTHERS.format(split="train")}max_minutes: 5
epochs: 6
p_text: 0.0
batch_size: 16
image_size: 96
learning_rate: 0.002
ema_decay: 0.95
val_fraction: 0.15
evaluate_every: 6
"""

RECIPE = """\
# All networks, one after the other: resformer train --recipe FOLDER/recipe.yaml
data: .
ocr_caches: words
stages:
  - kind: train
    name: text_detector
    config: text_detector.yaml
  - kind: train
    name: text_recognizer
    config: text_recognizer.yaml
  - kind: ocr_caches
    name: ocr_caches
  - kind: train
    name: stem
    config: stem.yaml
  - kind: train
    name: network
    config: resformer.yaml
    overrides: [cached_views=1, "sources.1.extra_ocr=[words/builtin-amazon-train.jsonl.gz]"]
    init_network_from: stem
"""

PRODUCTS_VAL = f"""\
# Tables that nothing is trained on, for benchmarks.
sources:
{FASHION.format(split="val")}{OTHERS.format(split="val")}"""

OWN_ENTITIES = """
  - name: pattern
    kind: choice
    labels: [Plain, Striped]
  - name: shelf
    kind: path
    paths: [Front > Tops, Front > Trousers, Front > Dresses, Back > Bags]
  - name: blurb
    kind: text
    max_subwords: 24
  - name: net_content
    kind: quantity
    units: [gram, kilogram, ounce, pound]
"""

OWN = """\
# What the schema adds, trained on an own table; all other answers stay those of the weights that the run starts from.
part: resformer
preset: nano
schema: own/entities.yaml
freeze: true
cached_views: 2
sources:
  - kind: table
    table: own/products.csv
    photos: own/products
    image_column: id
    title_column: name
    label_columns:
      pattern: pattern
      shelf: area > shelf
      blurb: blurb
  - kind: challenge
    labels: own/labels.csv
    photos: own/packs
    ocr: own/words_packs.jsonl.gz
max_minutes: 5
epochs: 6
batch_size: 16
image_size: 96
learning_rate: 0.03
ema_decay: 0.95
val_fraction: 0.15
evaluate_every: 3
"""

CONFIGS = {
    "recipe": RECIPE,
    "resformer": RESFORMER,
    "stem": STEM,
    "own": OWN,
    "text_detector": TEXT_DETECTOR,
    "text_recognizer": TEXT_RECOGNIZER,
    "products-val": PRODUCTS_VAL,
}
