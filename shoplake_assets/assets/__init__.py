"""The tables as Dagster assets: thin, each a few lines around `lake` and `transforms`."""
