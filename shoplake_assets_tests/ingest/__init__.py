"""Tests of `shoplake_assets.ingest`."""
