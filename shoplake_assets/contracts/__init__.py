"""What is true of each table: columns, rules, key, partitioning. No Dagster, no I/O."""
