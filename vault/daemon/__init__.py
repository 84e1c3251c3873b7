"""The daemon: retention on schedule, erasures completed, generations destroyed, samples opened."""
