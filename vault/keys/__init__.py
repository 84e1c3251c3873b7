"""Keys at work: finding and adding nodes, swapping the root, opening an older keyring."""
