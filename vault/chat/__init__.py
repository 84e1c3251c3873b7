"""Transcripts at work: opening a session, adding to it, reading it, removing from it."""
