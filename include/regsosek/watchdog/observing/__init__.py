"""What a round of the watchdog sees, and the limits that it is held to."""
