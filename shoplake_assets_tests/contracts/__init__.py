"""Tests of `shoplake_assets.contracts`."""
