"""Tests of `shoplake_assets.dashboard.live`."""
