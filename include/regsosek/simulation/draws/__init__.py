"""Random draws, and the odds by which answers are drawn."""
