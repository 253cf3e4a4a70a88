# The image of Jumun: one binary on a base with neither shell nor package manager (ADR-033).
#
#   docker build --tag jumun:dev .
#
# Which command runs is chosen by whoever starts the container; without one it serves the API.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# Both caches outlive a build, so that a change compiles what it changed. The binary is copied out, since
# what lies in a cache is not part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --release --package jumun \
    && cp target/release/jumun /jumun

# glibc of the same Debian, libgcc, the certificates of public authorities and a user without rights.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="jumun" \
      org.opencontainers.image.description="The order service of an online shop" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /jumun /usr/local/bin/jumun
# By number, so that a cluster can see that it is not root. It owns nothing in the image.
USER 65532:65532
# The default listens on loopback, where nobody outside the container would reach it.
ENV JUMUN_HTTP_ADDR=0.0.0.0:8080
EXPOSE 8080
# New requests are refused and what was begun is finished; without it a container's runtime may kill at once.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/jumun", "health"]
ENTRYPOINT ["/usr/local/bin/jumun"]
CMD ["serve"]
