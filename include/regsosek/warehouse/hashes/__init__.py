"""The keyed hashes of persons and cases, and how they are made anew with a newer key."""
