"""Pure functions from DataFrame to DataFrame: no Dagster, no I/O, no session made here."""
