# docker build --build-arg REVISION="$(git rev-parse HEAD)" \
#     --build-arg CREATED="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -t rolling-upgrade-exporter .
#
# Commit, time and version become labels of the image. VERSION is that of Cargo.toml already.
# The digest is that of the image's index, which holds every architecture.
FROM docker.io/library/rust:1.95-slim-trixie@sha256:ee4fa026a11f9e8b1b00568364a880dc720409bb94b0e6800f63f974f9c909d5 AS build
WORKDIR /src
COPY . .
ARG REVISION=unknown
# Static, so that the image needs no C library. The explicit target keeps the flag away from the
# macros, which the compiler has to load.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target="$(uname -m)-unknown-linux-gnu" \
    && RUSTFLAGS="-C target-feature=+crt-static" BUILD_REVISION="${REVISION}" \
        cargo build --release --locked --target "${target}" \
    && install -D "target/${target}/release/rolling-upgrade-exporter" /image/rolling-upgrade-exporter \
    && install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt \
    && install -d /image/var/lib \
    && install -d -m 0700 /state/rolling-upgrade-exporter \
    && echo 'nonroot:x:65532:65532:nonroot:/:/nonexistent' > /image/etc/passwd \
    && echo 'nonroot:x:65532:' > /image/etc/group \
    && echo 'hosts: files dns' > /image/etc/nsswitch.conf

FROM scratch
ARG REVISION=unknown
# RFC 3339, as the label has to be; the epoch where no time is given.
ARG CREATED=1970-01-01T00:00:00Z
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="rolling-upgrade-exporter" \
      org.opencontainers.image.description="Prometheus exporter for the rolling upgrades of managed clusters: NAVER Cloud SES and CDSS, Huawei Cloud CSS and CCE" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.vendor="The rolling-upgrade-exporter authors" \
      org.opencontainers.image.url="https://github.com/rolling-upgrade-exporter/rolling-upgrade-exporter" \
      org.opencontainers.image.source="https://github.com/rolling-upgrade-exporter/rolling-upgrade-exporter" \
      org.opencontainers.image.documentation="https://github.com/rolling-upgrade-exporter/rolling-upgrade-exporter/tree/main/docs" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# For a volume with the state (--storage.path): a new one takes owner and mode from here.
COPY --from=build --chown=65532:65532 /state /var/lib
USER 65532:65532
EXPOSE 10850
# With another --web.listen-address, give the check the same flag.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
    CMD ["/rolling-upgrade-exporter", "healthcheck"]
ENTRYPOINT ["/rolling-upgrade-exporter"]
CMD ["--config.file=/etc/rolling-upgrade-exporter.yml", "--storage.path=/var/lib/rolling-upgrade-exporter"]
