"""The public site of a release: pages in two languages from the nation to the desa, readable without network."""
