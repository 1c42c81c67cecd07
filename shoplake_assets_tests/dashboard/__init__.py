"""Tests of the dashboard: a real Iceberg lake, no JVM."""
