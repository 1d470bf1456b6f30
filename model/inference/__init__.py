"""Between photos, text and questions and the networks.

- `tokenizer`, `label_tokenizer`: text, prompts and labels to tokens.
- `quantity_inputs`, `attribute_inputs`: batches of the networks.
- `quantity_decoding`, `attribute_decoding`, `generation`: from logits to the answers of quantities, of choices and
  paths, and of texts.
- `quantity_ranker`, `attribute_predictor`: both networks as they are called, on ONNX Runtime where that is faster.
- `checkpoint`: files of weights.
"""
