"""Published figures as data, and the night that a picture is as of."""
