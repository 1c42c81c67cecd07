"""The cluster of `docker/compose.yaml`, rehearsed without Docker: the same services as plain processes."""
