# A server for a saved recommender: `docker build -t recnb .`, then `docker compose up` (compose.yaml).
FROM python:3.12-slim AS build
WORKDIR /build
COPY . .
RUN pip install --no-cache-dir --prefix=/install --extra-index-url https://download.pytorch.org/whl/cpu \
        -c constraints.txt ".[serve,workers]"

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin recnb
COPY --from=build /install /usr/local
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp RECNB_CACHE=/tmp/recnb HOME=/tmp
USER 10001
EXPOSE 8000
HEALTHCHECK --start-period=60s --interval=15s --timeout=5s CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/ready', timeout=4)"]
ENTRYPOINT ["recnb"]
CMD ["serve", "/models/films", "--host", "0.0.0.0", "--workers", "2"]
