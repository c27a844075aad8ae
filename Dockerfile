# syntax=docker/dockerfile:1

# The default image measures the edition current. The target history adds the
# edition 2020 and its Python: old packages do not belong in everybody's image.

FROM golang:1.26-bookworm AS modules
WORKDIR /source
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

FROM modules AS build
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -o /restbench ./cmd/restbench

# What the machine must offer to the servers: an interpreter, wrk, certificates.
FROM python:3.13-slim-bookworm AS machine
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates wrk \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10226 --user-group --home-dir /var/lib/restbench --no-create-home --shell /usr/sbin/nologin restbench \
    && install -d -o restbench -g restbench -m 0750 /var/lib/restbench /run/restbench
ENV HOME=/var/lib/restbench \
    XDG_STATE_HOME=/var/lib \
    PYTHONDONTWRITEBYTECODE=1 \
    RESTBENCH_CAMPAIGN_LOCK=/tmp/restbench-campaign.lock

FROM machine AS restbench
COPY --from=build /restbench /usr/local/bin/restbench
USER 10226:10226
WORKDIR /var/lib/restbench
# Environments are made while the image is built, so that the first number comes
# within a minute. A new, empty volume at this place begins as a copy of it.
RUN restbench install --storage.path=/var/lib/restbench --edition=current
VOLUME /var/lib/restbench
EXPOSE 10226
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s --retries=3 CMD ["restbench", "healthcheck"]
ENTRYPOINT ["restbench"]
CMD ["serve", "--storage.path=/var/lib/restbench", "--web.listen-address=:10226"]

# A volume declared in a base can no longer be written to in a build, so history
# does not start from restbench.
FROM machine AS history
COPY --from=build /restbench /usr/local/bin/restbench
USER 10226:10226
WORKDIR /var/lib/restbench
RUN restbench install --storage.path=/var/lib/restbench --edition=2020 --edition=current
COPY deploy/history.yml /etc/restbench/restbench.yml
VOLUME /var/lib/restbench
EXPOSE 10226
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s --retries=3 CMD ["restbench", "healthcheck"]
ENTRYPOINT ["restbench"]
CMD ["serve", "--config.file=/etc/restbench/restbench.yml", "--storage.path=/var/lib/restbench", "--web.listen-address=:10226"]

# Without --target the last stage is built.
FROM restbench
