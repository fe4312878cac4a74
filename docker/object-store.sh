#!/usr/bin/env bash
# The S3 API over a folder; its first-level folders are the buckets.
set -euo pipefail

objects=/var/lib/regsosek/objects
mkdir -p "$objects/$REGSOSEK_LANDING_BUCKET" "$objects/$REGSOSEK_ARCHIVE_BUCKET" "$objects/$REGSOSEK_RELEASE_BUCKET"

# From the environment, because anyone on the host can read a command line. rclone takes the variable for a list with
# commas between its entries, so that the one entry, a pair with a comma in it, stands in quotes.
export RCLONE_AUTH_KEY="\"$REGSOSEK_S3_ACCESS_KEY_ID,$REGSOSEK_S3_SECRET_ACCESS_KEY\""
# What is put into the folder from outside is seen within a second, not within five minutes.
exec rclone serve s3 --addr :9000 --dir-cache-time 1s "$objects"
