"""What can be asked of a photo: entities, their kinds and rules, and taxonomies."""
