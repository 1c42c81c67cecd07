"""Shop events before Kafka: the shape, the generator, the readers of real data sets. No Dagster, no Spark."""
