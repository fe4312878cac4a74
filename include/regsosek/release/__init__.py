"""What is published: tables, page, audit, pointer."""
