"""Tests of `shoplake_assets.health`."""
