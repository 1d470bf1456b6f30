"""Networks on ONNX Runtime or torch."""
