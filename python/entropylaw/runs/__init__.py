"""What a run leaves behind, to be repeated or gone on with: manifests and checkpoints, typed and versioned."""
