"""The demonstration: people, three tenants, and a first run, all through the portal's own actions.

Refused in production: its sign-ins are public.
"""
