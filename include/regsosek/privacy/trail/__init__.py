"""The trail of access and processing of single persons."""
