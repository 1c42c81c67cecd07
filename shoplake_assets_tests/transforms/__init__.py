"""Tests of `shoplake_assets.transforms`."""
