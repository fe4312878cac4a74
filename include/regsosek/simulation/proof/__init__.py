"""What the forecast is worth, proved on simulated campaigns."""
