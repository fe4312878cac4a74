"""Who is logged in, what an account may see, and what stands before the whole of Airflow."""
