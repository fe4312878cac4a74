"""What the law on personal data asks (UU 27/2022): the trail of access and processing, breaches, records."""
