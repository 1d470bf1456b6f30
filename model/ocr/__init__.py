"""Text off a photo: lines are detected, cropped and recognized."""
