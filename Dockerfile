# Two images: `ganache`, a local chain, and `app`, either of the two web apps.

FROM node:22-slim AS node-packages
WORKDIR /srv
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=optional --no-progress

FROM node:22-slim AS ganache
ENV NODE_ENV=production
WORKDIR /srv
COPY --from=node-packages /srv/node_modules node_modules
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8545
ENTRYPOINT ["node", "node_modules/ganache/dist/node/cli.js", "--server.host=0.0.0.0", "--database.dbPath=/data"]

FROM python:3.13-slim AS wheel
WORKDIR /src
COPY requirements requirements
RUN pip install --no-cache-dir --require-hashes -r requirements/dev.txt
COPY . .
COPY --from=node-packages /srv/node_modules/htmx.org node_modules/htmx.org
RUN python scripts/setup_stages.py && python -m build --wheel --no-isolation --outdir /dist

FROM python:3.13-slim AS app
RUN useradd --uid 10001 --create-home --home-dir /srv/chain chain \
  && mkdir /data /deployment && chown chain:chain /data /deployment
COPY requirements/runtime.txt /tmp/runtime.txt
RUN pip install --no-cache-dir --require-hashes -r /tmp/runtime.txt && rm /tmp/runtime.txt
RUN --mount=type=bind,from=wheel,source=/dist,target=/dist pip install --no-cache-dir --no-deps /dist/*.whl
USER chain
WORKDIR /srv/chain
ENV CHAIN_HOME=/data PYTHONUNBUFFERED=1 OPENBLAS_NUM_THREADS=1
VOLUME /data
ENTRYPOINT ["chain"]
CMD ["--help"]
