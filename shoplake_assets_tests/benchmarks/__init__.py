"""Benchmarks: each a command that prints a table and, with --json, writes what it measured."""
