"""Tests of `shoplake_assets.dashboard.data_health`."""
