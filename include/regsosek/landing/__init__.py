"""Object storage through boto3: discover, fetch, verify, archive."""
