"""Wrapped memories: `Vault.wrap`, for what keeps its own storage. One file for each framework."""
