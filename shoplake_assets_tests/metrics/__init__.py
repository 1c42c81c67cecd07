"""Tests of `shoplake_assets.metrics`."""
