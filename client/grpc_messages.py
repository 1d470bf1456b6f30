"""TorchServe's messages of gRPC, from a description of the three that predictions need (its `inference.proto`)."""

from typing import Any

from resformer.client.optional_packages import needed

__all__ = ["METHOD", "GrpcMessages"]

PACKAGE = "org.pytorch.serve.grpc.inference"
METHOD = f"/{PACKAGE}.InferenceAPIsService/Predictions"
FILE = "resformer/client/predictions.proto"


class GrpcMessages:
    """Writes requests and reads answers.

    Raises:
        ImportError: protobuf is not installed.
    """

    def __init__(self) -> None:
        by, packages = "gRPC", "grpcio protobuf"
        descriptors = needed("google.protobuf.descriptor_pb2", by=by, packages=packages)
        pools = needed("google.protobuf.descriptor_pool", by=by, packages=packages)
        factory = needed("google.protobuf.message_factory", by=by, packages=packages)
        pool = pools.DescriptorPool()
        pool.Add(_description(descriptors))
        self._request, self._response = (
            factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
            for name in ("PredictionsRequest", "PredictionResponse")
        )

    def request(self, model: str, fields: dict[str, bytes]) -> bytes:
        """A request to a model, with the fields of a form."""
        message = self._request(model_name=model, input=fields)
        return bytes(message.SerializeToString())

    def prediction(self, response: bytes) -> bytes:
        """The body of an answer."""
        return bytes(self._response.FromString(response).prediction)


def _description(descriptors: Any) -> Any:
    kind = descriptors.FieldDescriptorProto
    file = descriptors.FileDescriptorProto(name=FILE, package=PACKAGE, syntax="proto3")
    request = file.message_type.add(name="PredictionsRequest")
    request.field.add(name="model_name", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    entry = request.nested_type.add(name="InputEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=kind.TYPE_BYTES, label=kind.LABEL_OPTIONAL)
    request.field.add(
        name="input",
        number=3,
        type=kind.TYPE_MESSAGE,
        label=kind.LABEL_REPEATED,
        type_name=f".{PACKAGE}.PredictionsRequest.InputEntry",
    )
    response = file.message_type.add(name="PredictionResponse")
    response.field.add(name="prediction", number=1, type=kind.TYPE_BYTES, label=kind.LABEL_OPTIONAL)
    return file
