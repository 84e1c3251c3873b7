"""SQL: every statement of the project stands in this package."""
