"""The page "Data health": how far each table is, and whether what is in it can be trusted."""
