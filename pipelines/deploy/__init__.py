"""Deployment: images, units, host and cloud. docs/deployment.md says how a day gets to run."""
