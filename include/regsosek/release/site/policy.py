"""What the pages of the site may load: nothing from elsewhere, no code from strings, no style but the site's own."""

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
)
