"""What the exit codes of the commands mean; 2 is click's, for wrong usage."""

REFUSED = 1
NO_SERVICE = 3
SOME_FAILED = 4
