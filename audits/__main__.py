"""`python -m audits` is `audit`."""

from audits.cli import main

main()
