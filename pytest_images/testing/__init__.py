"""For authors of plugins: small real images, and the contract that every engine must pass."""
