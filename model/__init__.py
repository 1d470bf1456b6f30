"""The model: from a photo and questions about it to validated answers.

`predictor` is the way in. It stands on `schema` (what can be asked), `images` (pixels before any network), `ocr` (text
lines of a photo), `quantities` (values and units in text), `networks` (the architecture), `inference` (from tensors to
answers) and `runtime` (ONNX Runtime). `files` has the tables of users, the photos that they name, and whole writes.
Nothing here knows of training or TorchServe.
"""
