"""Pages about the contract, written from the data that the code reads."""
