"""Asks a Resformer server from Python, over HTTP or gRPC. Needs httpx and pydantic; none of the network's code.

>>> from resformer.client import Client
>>> client = Client(key_file="build/serve-8080/keys/inference")
>>> client.predict("photo.jpg")["item_weight"].prediction  # doctest: +SKIP
'500 gram'
"""

from resformer.client.async_client import AsyncClient
from resformer.client.client import Client
from resformer.client.client_errors import ClientError, PhotoError, RequestError, Unavailable
from resformer.client.query import Query
from resformer.client.results import Alternative, PhotoSize, Prediction, Result, SIValue

__all__ = [
    "Alternative",
    "AsyncClient",
    "Client",
    "ClientError",
    "PhotoError",
    "PhotoSize",
    "Prediction",
    "Query",
    "RequestError",
    "Result",
    "SIValue",
    "Unavailable",
]
