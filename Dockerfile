# One image for every service of docker-compose.yaml that is ours. The dependencies are a layer of their own, which
# stays cached until the lock changes.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS dependencies
# The certificates of the system, as pip uses them: an office may have an authority of its own.
ENV UV_PYTHON_DOWNLOADS=never \
    UV_SYSTEM_CERTS=true
WORKDIR /build
COPY tools/uv.txt ./
RUN python -m pip install --no-cache-dir --require-hashes --requirement uv.txt
COPY requirements.txt ./
# The lock constrains what builds the one package that comes as source (pure Python: no compiler is needed).
RUN uv venv /opt/venv \
    && uv pip sync --python /opt/venv/bin/python --require-hashes --build-constraints requirements.txt \
        --compile-bytecode --no-cache requirements.txt

FROM ${PYTHON_IMAGE}
COPY --from=dependencies /opt/venv /opt/venv
# Owned by root and not writable by the service; only its state is.
RUN useradd --system --uid 50000 --user-group --home-dir /opt/airflow --shell /usr/sbin/nologin regsosek \
    && install --directory --owner regsosek --group regsosek --mode 0700 \
        /opt/airflow /opt/airflow/logs /var/lib/regsosek /var/lib/regsosek/work /var/lib/regsosek/objects
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/regsosek/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/regsosek/plugins
WORKDIR /opt/regsosek
COPY pyproject.toml requirements.in LICENSE NOTICE ./
COPY include/ include/
COPY expectations/ expectations/
COPY dags/ dags/
COPY plugins/ plugins/
COPY docker/ docker/
# Editable, because expectations/ is found beside include/; setuptools comes from the lock, so nothing is downloaded.
RUN python -m compileall -q include \
    && /usr/local/bin/python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps \
        --no-build-isolation --editable .
USER regsosek
CMD ["regsosek", "--help"]
