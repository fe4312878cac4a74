"""What a process says of itself: records with fields, measures, lineage; none of it can fail or hold a night."""
