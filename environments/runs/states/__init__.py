"""The state room: Terraform's http backend, versions, locks, rollback and import, the command line's tokens."""
