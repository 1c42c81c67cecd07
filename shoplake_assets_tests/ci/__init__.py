"""The commands in `.ci/`: audit, list of what is shipped, scan."""
