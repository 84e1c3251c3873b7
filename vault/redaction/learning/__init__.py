"""How the bundled name model is trained. Nothing here is needed to redact."""
