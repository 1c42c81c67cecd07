"""The tests of `docker/`: what can be seen of it without Docker."""
