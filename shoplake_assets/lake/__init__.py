"""Iceberg: catalog, positions, increments, audit and publish. No Dagster."""
