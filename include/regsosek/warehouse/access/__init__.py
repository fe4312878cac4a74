"""Who may read and write what in the warehouse."""
