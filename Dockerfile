# One image, four commands: gateway, chat, ingest, admin.
ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG BASE_IMAGE=debian:12-slim

# hadolint ignore=DL3006
FROM ${SWIFT_IMAGE} AS build
WORKDIR /src
COPY Tests/LocalStack/packages.txt /tmp/packages.txt
# hadolint ignore=DL3008
RUN grep -E '^(lib.*-dev|pkg-config)$' /tmp/packages.txt > /tmp/needed.txt \
    && apt-get update \
    && xargs --arg-file /tmp/needed.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
COPY Package.swift ./
COPY Services Services
COPY Shared Shared
# The manifest names the test targets, so their folders must be there.
COPY Tests Tests
# The build folder is kept beside the layers: a change of ours does not build the world again.
RUN --mount=type=cache,target=/src/.build,sharing=locked \
    mkdir /out \
    && for product in gateway chat ingest admin; do \
        swift build -c release --static-swift-stdlib --product "$product" || exit 1; \
        install -s ".build/release/$product" /out/ || exit 1; \
    done

# The viewer of the API document: two files of a Python package, and their licence.
# hadolint ignore=DL3006
FROM ${BASE_IMAGE} AS viewer
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3-pip unzip
COPY Tests/LocalStack/requirements.txt /tmp/requirements.txt
RUN grep '^drf-spectacular-sidecar==' /tmp/requirements.txt > /tmp/viewer.txt \
    && python3 -m pip download --no-deps --only-binary :all: --dest /tmp --requirement /tmp/viewer.txt \
    && unzip -j -d /viewer /tmp/drf_spectacular_sidecar-*.whl \
        '*/swagger-ui-dist/swagger-ui.css' '*/swagger-ui-dist/swagger-ui-bundle.js' \
        '*/swagger-ui-dist/LICENSE'

# hadolint ignore=DL3006
FROM ${BASE_IMAGE}
# After the libraries: what opens documents, what limits it, what compose asks for health with and a
# first process that passes signals on and buries orphans.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates tzdata \
        libarchive13 libcurl4 libgit2-1.5 libpq5 libssl3 libstemmer0d libuchardet0 libxml2 \
        fonts-dejavu-core graphicsmagick poppler-utils \
        tesseract-ocr tesseract-ocr-eng tesseract-ocr-ita \
        util-linux \
        curl tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /data --create-home celine \
    && install -d -o celine -g celine /uploads /training-materials
COPY --from=build /out/ /usr/local/bin/
COPY --from=viewer /viewer/ /usr/share/celine-assistant/swagger-ui/
# A library that is missing fails the image, not the service.
RUN for product in gateway chat ingest admin; do \
        "$product" --help > /dev/null || exit 1; \
    done
USER 10001:10001
WORKDIR /data
ENV HTTP_HOST=0.0.0.0 DOCS_VIEWER=/usr/share/celine-assistant/swagger-ui
EXPOSE 8000 8101 8102 8103
ENTRYPOINT ["tini", "--"]
CMD ["gateway"]
