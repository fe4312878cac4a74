"""A synthetic field campaign with known, labelled defects."""
