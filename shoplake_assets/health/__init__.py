"""How the lake is: one picture of all its parts, for the dashboard and for Prometheus."""
