"""What TorchServe drops: of form fields with one name it hands over the last."""

from collections import Counter
from typing import Any

__all__ = ["keep_repeated_fields"]


def keep_repeated_fields() -> None:
    """Makes TorchServe's worker hand over all fields of a name, as a tuple, so that the request can be refused.

    Called once in a worker, before its first request.
    """
    from ts.service import Service as Worker

    retrieve = Worker.retrieve_data_for_inference

    def retrieve_all(batch: Any) -> Any:
        headers, rows, request_ids = retrieve(batch)
        for request, row in zip(batch, rows, strict=True):
            for name, count in Counter(field["name"] for field in request["parameters"]).items():
                if count > 1:
                    row[name] = tuple(field["value"] for field in request["parameters"] if field["name"] == name)
        return headers, rows, request_ids

    Worker.retrieve_data_for_inference = staticmethod(retrieve_all)
