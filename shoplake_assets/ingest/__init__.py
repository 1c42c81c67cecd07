"""The streaming job from Kafka to Bronze, and what it tells about itself over HTTP."""
