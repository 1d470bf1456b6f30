#!/bin/sh
# Runs TorchServe in a container. The server writes its keys to key_file.json in this folder:
#   docker exec NAME cat /run/resformer/key_file.json
set -eu
cd /run/resformer

# The predictions are reachable from outside the container; management, metrics and gRPC stay inside it.
sed -e 's#^inference_address=.*#inference_address=http://0.0.0.0:8080#' \
    -e 's#^metrics_config=.*#metrics_config=/srv/resformer/metrics.yaml#' /srv/resformer/config.properties > config.properties

# Not exec: the process that torchserve leaves in front does not pass a stop on to the server.
trap 'torchserve --stop --foreground' TERM INT
torchserve --start --foreground --ncs \
    --ts-config config.properties --log-config /srv/resformer/log4j2.xml \
    --model-store /srv/resformer/model_store --models resformer=resformer.mar &
wait $!
