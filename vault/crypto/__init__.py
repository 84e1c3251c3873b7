"""Cryptography without I/O: pure functions that import nothing of the vault's but its errors."""
