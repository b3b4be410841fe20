# parts.Dockerfile - stands for the images that docker-compose.yml takes from a registry: Debian's packages of the same.
# SPDX-License-Identifier: ISC
ARG BASE_IMAGE
FROM ${BASE_IMAGE} AS nginx
RUN apt-get update && apt-get install --yes --no-install-recommends nginx-light curl && rm -rf /var/lib/apt/lists/*

FROM ${BASE_IMAGE} AS prometheus
RUN apt-get update && apt-get install --yes --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/* \
 && install -d -o 65534 -g 65534 /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]

FROM ${BASE_IMAGE} AS alertmanager
RUN apt-get update && apt-get install --yes --no-install-recommends prometheus-alertmanager && rm -rf /var/lib/apt/lists/* \
 && install -d -o 65534 -g 65534 /alertmanager
ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]
