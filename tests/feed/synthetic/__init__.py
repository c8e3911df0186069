"""A package, so that its modules are not taken for others of the same name."""
