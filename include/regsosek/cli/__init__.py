"""The command line: one module for each group of commands; :mod:`regsosek.cli.main` puts them together."""
