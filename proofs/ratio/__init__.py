"""The exact competitive ratio of a policy over all inputs."""
