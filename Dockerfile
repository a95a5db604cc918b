# An image of `databroker serve`: docker build -t databroker .
# How it is run: docs/deploying.md

FROM python:3.13-slim AS build
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /source \
    && python -m venv /opt/databroker \
    && /opt/databroker/bin/pip install --no-cache-dir \
        "$(echo /wheels/databroker-*.whl)[server,metrics,postgresql,mongo,images,filters]"

FROM python:3.13-slim
RUN useradd --uid 10001 --create-home --home-dir /data databroker
COPY --from=build /opt/databroker /opt/databroker
ENV PATH="/opt/databroker/bin:$PATH"
USER 10001
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz')"]
ENTRYPOINT ["databroker", "serve", "--host", "0.0.0.0"]
CMD ["--help"]
