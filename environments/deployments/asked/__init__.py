"""What is asked of services, field by field, before anything is read from AWS."""
