"""DuckDB: delivered files to typed relations, parse failures kept with their reason."""
