"""Between photos, text and questions and the network.

- `tokenizer`, `inputs`: text, prompts and labels to tokens, and photos with questions to batches.
- `photo_encoder`, `text_generation`: the network as it is called, on ONNX Runtime where that is faster.
- `quantity_decoding`, `label_decoding`: from probabilities to the answers of quantities, and of choices and paths.
- `calibration`, `min_confidence`: how confidences are calibrated, and which answers are empty.
- `text_catalogue`: texts of a catalogue that answer about similar photos.
- `row_predictor`: everything that is asked about one photo.
- `checkpoint`: files of weights.
"""
