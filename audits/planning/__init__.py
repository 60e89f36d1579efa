"""From a request to a frozen list of steps."""
