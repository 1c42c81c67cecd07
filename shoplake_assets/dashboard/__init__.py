"""The dashboard: Dash and Plotly over pyiceberg; never a JVM."""
