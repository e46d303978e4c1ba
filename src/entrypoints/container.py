"""Pure wiring: whatever must be opened or closed is opened in lifespan.py and passed in."""
