"""Tests of `shoplake_assets.cli`."""
