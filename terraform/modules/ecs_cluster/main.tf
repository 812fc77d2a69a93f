data "aws_partition" "current" {}

resource "aws_ecs_cluster" "this" {
  name = "${var.name}-cluster"

  # The service's own CPU and memory metrics come free; Container Insights is billed per metric.
  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

# In a blue/green deployment ECS itself moves the listener rules' weights, with this role.
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "load_balancers" {
  name               = "${var.name}-ecs-load-balancer-role"
  description        = "ECS itself: move traffic between target groups during a deployment"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "load_balancers" {
  role       = aws_iam_role.load_balancers.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonECSInfrastructureRolePolicyForLoadBalancers"
}
