"""What a logged-in person may see: the operator's page and Great Expectations' Data Docs, behind Airflow's login."""
