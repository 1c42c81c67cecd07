"""The `shoplake` command: one module per group of commands, each a thin shell around the package that does it."""
