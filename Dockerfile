# One image for all services and for the commands of an operator: its command is the name of one (docs/containers.md).
#   docker build --build-arg REVISION=$(git rev-parse HEAD) -t indbakke .
# In production, name the base by its digest too: node:24.22.3-bookworm-slim@sha256:…

ARG NODE_IMAGE=docker.io/library/node:24.22.3-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
ENV NPM_CONFIG_UPDATE_NOTIFIER=false
# The packages first: they change seldom.
COPY package.json package-lock.json .npmrc ./
COPY shared/package.json shared/
COPY services/receiver/package.json services/receiver/
COPY services/journaler/package.json services/journaler/
COPY services/archiver/package.json services/archiver/
COPY services/operations/package.json services/operations/
COPY infra/package.json infra/
# Nothing is downloaded but packages: install scripts do not run, and the build has Prisma's engine as WebAssembly.
RUN npm ci --include=dev --ignore-scripts
COPY . .
RUN npm run build && node infra/deploy/image/assemble.mjs /app

FROM ${NODE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Indbakke" \
  org.opencontainers.image.description="Takes inbound Danish Digital Post for municipalities into the case system DUBU" \
  org.opencontainers.image.licenses="EUPL-1.2" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# Mount what is kept here, where BLOB_URL is a folder. Nothing else is written, so the root may be read-only.
RUN mkdir /srv/indbakke && chown 10001:10001 /srv/indbakke
COPY --from=build /app /app
WORKDIR /srv/indbakke
ENV NODE_ENV=production HOST=0.0.0.0
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["node", "/app/infra/deploy/image/indbakke.mjs", "healthcheck"]
# No shell in between: signals reach the service.
ENTRYPOINT ["node", "--max-semi-space-size=16", "/app/infra/deploy/image/indbakke.mjs"]
