"""Tests that start the product as a user does."""
