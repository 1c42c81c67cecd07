"""What Prometheus is told of a lake."""
