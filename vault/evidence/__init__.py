"""Evidence: what an erasure leaves behind that a third party can check."""
