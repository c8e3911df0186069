"""Vocabulary and plain memory: what every other room stands on."""
