"""What an auditor reads: gathered once, then shown as a page, as text, or as JSON."""
