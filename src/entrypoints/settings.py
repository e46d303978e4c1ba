"""What the environment may say: read once, here, and imported nowhere but in the entry points."""
