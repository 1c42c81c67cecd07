"""Proof that no offset of Kafka is missing and nothing altered from Bronze to Gold. Reads, and changes nothing."""
