"""Tests of the Dagster layer: definitions, sensors, checks, assets, exports."""
