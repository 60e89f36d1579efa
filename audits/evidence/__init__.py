"""Evidence that can be checked: digests of a run, the ledger of attempts, signatures and sign-offs. Needs no model."""
