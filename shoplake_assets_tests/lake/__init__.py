"""Tests of `shoplake_assets.lake`."""
