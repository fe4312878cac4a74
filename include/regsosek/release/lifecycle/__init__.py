"""A release after it is built: signed, made current, verified, rolled back, withdrawn, thinned out."""
