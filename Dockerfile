# One image, four commands: gateway, chat, ingest, admin.
ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG BASE_IMAGE=debian:12-slim

# hadolint ignore=DL3006
FROM ${SWIFT_IMAGE} AS build
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libcurl4-openssl-dev libpq-dev libssl-dev libgit2-dev libstemmer-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
RUN swift package resolve
COPY Services Services
COPY Shared Shared
# The manifest names the test targets, so their folders must be there.
COPY Tests Tests
RUN for product in gateway chat ingest admin; do \
        swift build -c release --static-swift-stdlib --product "$product" || exit 1; \
    done \
    && mkdir /out \
    && for product in gateway chat ingest admin; do \
        install -s ".build/release/$product" /out/ || exit 1; \
    done

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libcurl4 libpq5 libssl3 libgit2-1.5 libstemmer0d util-linux tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --create-home celine \
    && install -d -o celine -g celine /uploads /training-materials
COPY --from=build /out/ /usr/local/bin/
USER 10001:10001
WORKDIR /data
ENV HTTP_HOST=0.0.0.0
EXPOSE 8000 8101 8102 8103
CMD ["gateway"]
