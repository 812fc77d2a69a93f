"""ECS deployments: from an image to proven running tasks, or back to where it was."""
