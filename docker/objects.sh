#!/usr/bin/env bash
# The objects that a backup needs, copied by rclone inside the image: all of archive and release, and of landing what is
# below reference/ (its deliveries are in the archive once a night registered them).
#   objects.sh save FOLDER      store to folder; nothing is deleted there
#   objects.sh restore FOLDER   folder to store; makes the buckets that are missing
#   objects.sh forget           deletes the buckets of a drill
# PREFIX= stands before the buckets' names in the store: a drill works beside the real ones.
set -euo pipefail

export RCLONE_CONFIG="" HOME=/tmp
export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENDPOINT=$REGSOSEK_S3_ENDPOINT_URL RCLONE_S3_REGION=$REGSOSEK_S3_REGION
export RCLONE_S3_ACCESS_KEY_ID=$REGSOSEK_S3_ACCESS_KEY_ID RCLONE_S3_SECRET_ACCESS_KEY=$REGSOSEK_S3_SECRET_ACCESS_KEY

for bucket in "$REGSOSEK_LANDING_BUCKET" "$REGSOSEK_ARCHIVE_BUCKET" "$REGSOSEK_RELEASE_BUCKET"; do
  stored=:s3:${PREFIX:-}$bucket
  chosen=()
  [[ $bucket != "$REGSOSEK_LANDING_BUCKET" ]] || chosen=(--include "/reference/**")
  case $1 in
    save) rclone copy --checksum "${chosen[@]}" "$stored" "$2/$bucket" ;;
    restore) rclone mkdir "$stored" && rclone copy --checksum "$2/$bucket" "$stored" ;;
    forget) rclone purge ":s3:${PREFIX:?only the buckets of a drill are ever deleted}$bucket" ;;
    *) echo "objects.sh: no such verb: $1" >&2 && exit 2 ;;
  esac
done
