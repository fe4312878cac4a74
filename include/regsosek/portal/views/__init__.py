"""What pages and API show, read from warehouse and releases."""
