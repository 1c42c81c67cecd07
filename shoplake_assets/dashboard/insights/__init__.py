"""The page "Batch Insights (Gold Layer)": what Gold says about a range of time."""
