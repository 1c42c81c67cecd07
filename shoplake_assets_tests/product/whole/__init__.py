"""One product for all tests of this package: from its first event to the worst that a producer can send."""
