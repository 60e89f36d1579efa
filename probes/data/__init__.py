"""Reading audit data into examples. The only place that imports datasets."""
