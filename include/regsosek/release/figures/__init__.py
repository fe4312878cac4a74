"""What a release shows, and what of it readers may see."""
