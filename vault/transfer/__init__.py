"""Getting transcripts in and out."""
