# Dockerfile - the two programs as two images: `server` talks and decides, `runner` executes.
# SPDX-License-Identifier: ISC
#
#     docker build --target server -t deploybot-server --build-arg VERSION="$(lib/version.sh)" .
#     docker build --target runner -t deploybot-runner --build-arg WITH_KUBECTL=1 .
#
# or `make images`, or `docker-compose build`.  Built by docker's classic builder and by BuildKit alike.
#
# BASE_IMAGE is a Debian 12 or later.  A tag moves: pin it by digest where a build must be repeatable,
# --build-arg BASE_IMAGE=debian:12-slim@sha256:...  RUNNER_BASE_IMAGE may be one that has tools of yours already.
ARG BASE_IMAGE=debian:12-slim
ARG RUNNER_BASE_IMAGE

# ---- build: the programs, and what a container finds around them ---------------------------------
FROM ${BASE_IMAGE} AS build
# As tests/tools/packages.sh build has it; ca-certificates and tzdata are for the server's image.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
	ca-certificates gcc libarchive-dev libc6-dev libcurl4-openssl-dev libev-dev libjansson-dev libmicrohttpd-dev \
	libexpat1-dev liboath-dev libpq-dev libqrencode-dev libseccomp-dev libsqlite3-dev libssl-dev libsystemd-dev libyaml-dev make tzdata \
	zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Makefile CHANGES.md ./
COPY lib lib
COPY judge judge
COPY agent agent
COPY link link
COPY runner runner
COPY server server
COPY deploy/release/dpkg-status.sh ./
# What lib/version.sh says where the repository is, which is not here; without it CHANGES.md counts.
ARG VERSION=unknown
RUN make -j"$(nproc)" BUILD=/build $([ "${VERSION}" = unknown ] || echo "VERSION=${VERSION}") && strip /build/deploybot /build/deploybot-runner /build/deploybot-remote-runner /build/deploybot-judge /build/deploybot-link /build/deploybot-unpack

# Owners by fixed numbers: files in a volume stay whose they were, and a fresh volume takes owners and modes from here.
# They are those of deploy/systemd/tmpfiles.conf: the runner is in the server's group, the server reads logs of runs,
# and in the folder that both have neither may put something in the place of the other's.
RUN mkdir -p /image/common /image/server \
 && cd /image/common \
 && install -d -m 0755 etc etc/deploybot run run/secrets usr usr/lib usr/lib/deploybot var var/lib var/log \
 && install -d -m 1770 -o 0 -g 10001 var/lib/deploybot \
 && install -d -m 2750 -o 10001 -g 10001 var/lib/deploybot/environments var/lib/deploybot/uploads \
 && install -d -m 2750 -o 10002 -g 10001 var/lib/deploybot/runs run/deploybot-runner \
 && install -d -m 0755 -o 10001 -g 10001 run/deploybot \
 && install -d -m 0700 -o 10002 -g 10002 var/lib/deploybot/git var/lib/deploybot/apps var/lib/deploybot/approved \
 && install -d -m 0750 -o 10001 -g 10001 var/log/deploybot
# The server's whole root: what ldd names, with the loader, and nothing that could be executed beside it.  It is
# started here once, so that a library that is missing ends the build and not a deployment.
WORKDIR /image/server
RUN cp -a /image/common/. . \
 && install -d -m 1777 tmp \
 && install -d -m 0755 usr/bin \
 && install -m 0755 /build/deploybot usr/lib/deploybot/deploybot \
 && ln -s ../lib/deploybot/deploybot usr/bin/deploybot \
 && ldd usr/lib/deploybot/deploybot | grep -o '/[^ ]*' | xargs cp -L --parents -t . \
 && cp -L --parents /etc/ssl/certs/ca-certificates.crt . \
 && cp -a --parents /usr/share/zoneinfo . \
 && sh /src/dpkg-status.sh "$PWD" ca-certificates tzdata \
 && printf '%s\n' 'root:x:0:0::/:/' 'deploybot:x:10001:10001::/var/lib/deploybot:/' >etc/passwd \
 && printf '%s\n' 'root:x:0:' 'deploybot:x:10001:' >etc/group \
 && printf 'hosts: files dns\n' >etc/nsswitch.conf \
 && chroot . /usr/bin/deploybot --version
WORKDIR /image/common/usr/lib/deploybot
COPY deploy deploy
RUN install -m 0755 /build/deploybot-runner /build/deploybot-remote-runner /build/deploybot-judge /build/deploybot-link /build/deploybot-unpack . && chmod -R u=rwX,go=rX deploy

# ---- server: no shell, no tools, no package manager ----------------------------------------------
FROM scratch AS server
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="deploybot server" \
	org.opencontainers.image.description="Deployments from a Telegram chat and from pushes: talks and decides, executes nothing" \
	org.opencontainers.image.licenses="ISC" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}" \
	org.opencontainers.image.source="${SOURCE}"
COPY --from=build /image/server/ /
# Facts of the container; all else stands in /etc/deploybot/deploybot.conf, secrets in files that it names.
ENV PATH=/usr/bin \
	LANG=C.UTF-8 \
	LISTEN_ADDRESS=0.0.0.0 \
	API_SERVER_PORT=8080 \
	RUNNER_SOCKET=/run/deploybot-runner/runner.sock \
	container=oci
USER 10001:10001
WORKDIR /var/lib/deploybot
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
	CMD ["/usr/lib/deploybot/deploybot", "healthcheck"]
ENTRYPOINT ["/usr/lib/deploybot/deploybot"]
CMD ["--env-file", "/etc/deploybot/deploybot.conf", "serve"]

# ---- runner-files: what is put into the runner's root, in one piece --------------------------------
FROM ${RUNNER_BASE_IMAGE:-${BASE_IMAGE}} AS runner-files
# 1: build and push images (IMAGE_SOURCE=build).  Of Debian's package the client alone: no engine runs here.  From Debian 13
# on it is a package of its own.
ARG WITH_DOCKER=1
WORKDIR /files
COPY --from=build /image/common/ root/
RUN if [ "${WITH_DOCKER}" = 1 ]; then \
	apt-get update \
	&& package=docker.io \
	&& if apt-cache show docker-cli >/dev/null 2>&1; then package=docker-cli; fi \
	&& apt-get download "${package}" \
	&& dpkg-deb --extract "${package}"_*.deb all \
	&& install -D -m 0755 all/usr/bin/docker root/usr/bin/docker \
	&& rm -rf all "${package}"_*.deb /var/lib/apt/lists/*; \
 fi

# ---- runner: what deploy/'s scripts call ----------------------------------------------------------
FROM ${RUNNER_BASE_IMAGE:-${BASE_IMAGE}} AS runner
# 1: passwords for ECR registries by aws; the transport kubernetes.
ARG WITH_AWS=0
ARG WITH_KUBECTL=0
# A container has no use for another user's rights: what could give them is taken from all files.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
	bash ca-certificates curl git libarchive13 libseccomp2 libyaml-0-2 openssh-client openssl util-linux \
	$([ "${WITH_AWS}" != 1 ] || echo awscli) $([ "${WITH_KUBECTL}" != 1 ] || echo kubernetes-client) \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && groupadd --gid 10001 deploybot \
 && groupadd --gid 10002 deploybot-runner \
 && useradd --uid 10002 --gid 10002 --groups 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin deploybot-runner \
 && find / -xdev -perm /6000 -type f -exec chmod a-s {} +
COPY --from=runner-files /files/root/ /
ARG VERSION=unknown
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="deploybot runner" \
	org.opencontainers.image.description="Executes what the deploybot server orders: deploy, rollback, questions to git" \
	org.opencontainers.image.licenses="ISC" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}" \
	org.opencontainers.image.source="${SOURCE}"
# By its number alone, so that the group deploybot comes with it.
USER 10002
ENV LANG=C.UTF-8 \
	HOME=/tmp
WORKDIR /var/lib/deploybot
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=15s --retries=3 \
	CMD ["/usr/lib/deploybot/deploybot-runner", "--ping", "/run/deploybot-runner/runner.sock"]
ENTRYPOINT ["/usr/lib/deploybot/deploybot-runner"]
CMD ["--listen", "/run/deploybot-runner/runner.sock", "--env-file", "/etc/deploybot/deploybot.conf", "--drain"]
