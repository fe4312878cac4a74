"""What can be wrong around the pipeline: checks of settings, services, files and keys, each with the way to mend it.

By hand: what it checks is of this pipeline alone.
"""
