"""From a photo, its text and the questions to tensors, and from what the networks say to answers."""
