"""How text gets off the photo: lines are detected, cropped and recognized."""
