"""Tests of Shoplake; the folders mirror the package."""
