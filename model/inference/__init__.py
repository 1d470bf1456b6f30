"""Between photos, text and questions and the networks: tokens, batches, checkpoints, decoding."""
