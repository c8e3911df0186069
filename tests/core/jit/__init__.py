"""A package, so that its test_startup is not taken for the one above."""
