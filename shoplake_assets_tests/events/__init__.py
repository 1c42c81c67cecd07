"""Tests of the events' shape, generator, readers and sending."""
