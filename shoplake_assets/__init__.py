"""Shoplake: shop events through Kafka and Spark into Iceberg, tracked and driven by Dagster.

The folder names are the architecture; imports point one way:
`contracts` <- `transforms` <- `lake` <- `assets` <- `definitions`.
"""
