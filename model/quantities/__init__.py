"""Numbers, units and quantities in text, and the candidates that questions are answered with.

Where a printed form is parsed wrongly, this is what to change, in the order in which text passes through:

- `character_fold`: typographic variants of characters (`×`, `″`).
- `numbers`: how numbers are written (`1,5`, `3 1/2`), and what OCR makes of their digits.
- `measurements`: what stands directly beside a number: its unit, and the letter or word of its axis (`W60`,
  `60cm wide`). Spellings of units are in `units.yaml`.
- `dual_units`: one amount in two units, which corrects OCR errors (`3.18 OZ (90 g)`).
- `parser`: what links numbers: chains (`10 x 20 cm`), ranges, lists, multi-packs, compounds (`5' 2"`).
- `candidates`: what spans lines, or has its unit from elsewhere on the photo.

`candidate_features`, `line_features` and `label_priors` describe candidates by numbers for the network.
"""
