"""Tests of `shoplake_assets.dashboard.insights`."""
