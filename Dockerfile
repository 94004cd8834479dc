# One image for each process of the suite, and one for the command `rapport`:
#
#   docker build --build-arg SERVICE=identity --tag rapport/identity:0.2.0 .
#   docker build --target tools --tag rapport/tools:0.2.0 .
#
# SERVICE is identity, scoring, lifecycle, nurture, routing, metrics or gateway. What an image carries is computed from
# what its process imports (deployment/image_content.py). The first layers are the same in all of them.

ARG PYTHON_IMAGE=docker.io/library/python:3.11.13-slim-bookworm

# what is installed: checked against the lock; nothing is compiled but Python (nkeys is published as source alone). Where
# a telephone number's town lies is 40 MB that nobody asks for.
FROM ${PYTHON_IMAGE} AS packages
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
COPY requirements.lock /tmp/requirements.lock
RUN python -P -m venv /opt/rapport \
 && /opt/rapport/bin/python -P -m pip install --no-cache-dir --disable-pip-version-check --no-compile \
      --only-binary=:all: --no-binary=nkeys --require-hashes --requirement /tmp/requirements.lock \
 && /opt/rapport/bin/python -P -m pip uninstall --yes --quiet --disable-pip-version-check pip setuptools \
 && rm -r /opt/rapport/lib/python3*/site-packages/phonenumbers/geodata \
 && rm -f /opt/rapport/bin/pip* /opt/rapport/bin/activate* /opt/rapport/bin/Activate.ps1 \
 && /opt/rapport/bin/python -P -m compileall -q --invalidation-mode unchecked-hash /opt/rapport/lib

# what both kinds of image stand on: no pip, no compiler, nobody but a user without a name; modules come from /app and
# what is installed, never from the folder a command is called in
FROM ${PYTHON_IMAGE} AS runtime
RUN python -P -c "import shutil, sysconfig; from pathlib import Path; \
homes = {Path(sysconfig.get_path('purelib')), Path('/usr/lib/python3/dist-packages'), Path(sysconfig.get_path('stdlib'))}; \
[shutil.rmtree(home / name) for home in homes for name in ('pip', 'setuptools', 'wheel', 'ensurepip') if (home / name).is_dir()]" \
 && find /usr/local/bin /usr/bin -name 'pip*' -delete \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=packages /opt/rapport /opt/rapport
ENV PATH=/opt/rapport/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
STOPSIGNAL SIGTERM
USER 10001:10001

FROM ${PYTHON_IMAGE} AS tools-content
COPY . /source
WORKDIR /source
RUN PYTHONPATH=/source python -P -m deployment.image_content tools /app

FROM runtime AS tools
ARG VERSION=0.2.0
ARG REVISION=
ENV RAPPORT_REVISION=${REVISION}
LABEL org.opencontainers.image.title="rapport tools" \
      org.opencontainers.image.description="The command of whoever runs Rapport" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=tools-content /app /app
ENTRYPOINT ["python", "-P", "-m", "cli"]
CMD ["--help"]

FROM ${PYTHON_IMAGE} AS service-content
ARG SERVICE
COPY . /source
WORKDIR /source
RUN PYTHONPATH=/source python -P -m deployment.image_content "${SERVICE:?give --build-arg SERVICE=identity, for instance}" /app

FROM runtime AS service
ARG SERVICE
ARG VERSION=0.2.0
ARG REVISION=
ENV RAPPORT_SERVICE=${SERVICE} \
    RAPPORT_REVISION=${REVISION}
LABEL org.opencontainers.image.title="rapport ${SERVICE}" \
      org.opencontainers.image.description="Lead management: recognize, record, react, refer, measure" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=service-content /app /app
EXPOSE 8000 9000
# alive, not ready: who restarts by this one restarts what hangs, and leaves alone what waits
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-I", "-S", "/app/chassis/web/probe.py", "http://127.0.0.1:9000/healthz"]
# the shell is gone before the first line of Python runs, so that signals reach the process itself
ENTRYPOINT ["/bin/sh", "-c", "case $RAPPORT_SERVICE in gateway) module=gateway.main ;; *) module=services.$RAPPORT_SERVICE.main ;; esac; exec python -P -m $module \"$@\"", "rapport"]
