"""The best ratio that any randomised policy can have."""
