"""What runners are, for Prometheus: an exporter, its names, rules for alerts and a dashboard.

`names.py` says what there is, `families.py` takes it from a status, `exporting.py` serves it;
`prometheus/` and `grafana/` hold what those two are given: `hft metrics files DIR`.
"""
