"""Tests of what is in the folder `docker`."""
