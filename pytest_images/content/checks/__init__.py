"""What a check looks at, one module a subject; `content.fsck` runs them in order."""
