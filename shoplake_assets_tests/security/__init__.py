"""The commands in `security/`: audit, list of what is shipped, scan."""
