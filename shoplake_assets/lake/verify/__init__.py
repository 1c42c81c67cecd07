"""Proof that nothing was lost, doubled or altered between Kafka and Gold. Reads, and changes nothing."""
