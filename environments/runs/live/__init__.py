"""What stands in AWS that neither state nor plan tells of: rules, attachments and openings beside the state's."""
