"""ECS that behaves: rollouts, tasks, images and faults, beside what moto keeps."""
