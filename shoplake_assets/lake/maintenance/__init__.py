"""Maintenance of the tables: small files put together, old snapshots and what nothing refers to removed. No Dagster."""
