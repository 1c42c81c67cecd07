"""The formats in which real shop events come: one module each, a pure function from a line to an event."""
