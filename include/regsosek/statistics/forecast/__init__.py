"""When a region will be done, and how far that may be off."""
