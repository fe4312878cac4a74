"""The files of a release beside its pages."""
