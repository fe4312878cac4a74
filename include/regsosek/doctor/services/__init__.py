"""Checks of the services around the pipeline."""
