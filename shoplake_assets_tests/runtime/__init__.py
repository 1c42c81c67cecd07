"""Tests of `shoplake_assets.runtime`."""
