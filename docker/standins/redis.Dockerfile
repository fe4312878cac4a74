FROM regsosek-standin-debian:latest
RUN install --directory --owner redis --group redis /data
