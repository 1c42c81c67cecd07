"""Faults: kill, stop, lock and fill what the product consists of, under traffic, and count what has arrived."""
