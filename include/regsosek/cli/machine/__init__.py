"""Commands for whoever runs the machine, the store and the warehouse."""
