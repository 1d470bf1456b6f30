"""The architecture. Every change here needs new weights; nothing of this project is imported but this room."""
