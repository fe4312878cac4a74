"""Whole messages: subject, text, HTML and work list of each kind of reader."""
