"""What to run, and whether it passed: configuration, plan, execution, gate and command line."""
