"""Pages of tenants, environments, memberships and AWS accounts."""
