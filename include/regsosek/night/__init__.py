"""The one composition of the steps, called by the DAGs and by the command line alike."""
