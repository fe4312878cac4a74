"""Reads archived files a second time with code of its own, for the audit."""
