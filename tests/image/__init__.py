"""The container image: built with buildah, and run as a container with a read-only root file system."""
