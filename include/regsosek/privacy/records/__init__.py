"""The records that the law asks for: processing, impact, incidents."""
