"""Product photos to structured values.

>>> from resformer import Predictor
>>> Predictor.load().predict("photo.jpg").predictions["item_weight"].prediction  # doctest: +SKIP
'500 gram'
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resformer.model.photo_query import Query
    from resformer.model.prediction import Alternative, Prediction, Result
    from resformer.model.predictor import Predictor
    from resformer.model.schema.schema import Entity, Schema

__all__ = ["Alternative", "Entity", "Prediction", "Predictor", "Query", "Result", "Schema", "__version__"]

__version__ = "1.0"

_HOMES = {
    **dict.fromkeys(("Alternative", "Prediction", "Result"), "resformer.model.prediction"),
    "Predictor": "resformer.model.predictor",
    "Query": "resformer.model.photo_query",
    **dict.fromkeys(("Entity", "Schema"), "resformer.model.schema.schema"),
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: most take torch along, which a command line does without."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
