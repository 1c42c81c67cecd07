"""Prometheus' rules, Grafana's dashboards and the runbooks: what is watched exists, and is what they say."""
