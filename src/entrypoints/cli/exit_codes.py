"""What the exit codes of the commands mean; 2 is click's, for wrong usage."""

REFUSED = 1
NO_SERVICE = 3
SOME_FAILED = 4
TIMED_OUT = 5
INTERRUPTED = 130
"""As shells have it for a process that Ctrl-C ended."""
