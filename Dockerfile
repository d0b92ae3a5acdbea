# SPDX-License-Identifier: Apache-2.0
# lichen in an image: docker build -t lichen . && docker run --rm -v "$PWD":/work lichen run --cage offline -- CMD
# What the container itself refuses (namespaces) the cage cannot use: docs/cage-policy.md tells what that means.
FROM debian:12 AS build
RUN apt-get update && apt-get install -y --no-install-recommends make
COPY . /src
WORKDIR /src
RUN tools/install-packages packages && meson setup build --prefix=/usr \
	&& ninja -C build lichen lichen-fetch lichen-proxy lichen-echo-model docs/lichen-gaps.7 \
	&& DESTDIR=/out meson install -C build --no-rebuild

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libcurl4 libjansson4 libsodium23 \
	&& rm -rf /var/lib/apt/lists/* && useradd --create-home --uid 1000 lichen
COPY --from=build /out/ /
USER lichen
WORKDIR /work
ENTRYPOINT ["lichen"]
CMD ["help"]
