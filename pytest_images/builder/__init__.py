"""Instructions to images: what each makes of the config, and the documents of a new image."""
