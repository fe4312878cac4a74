"""Reports the lineage of nights and releases as OpenLineage has it."""
