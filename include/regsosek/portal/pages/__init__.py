"""The operator's pages: routes, forms, templates."""
