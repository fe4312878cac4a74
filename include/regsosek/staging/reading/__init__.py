"""Delivered files, whatever their format, to text and types in DuckDB."""
