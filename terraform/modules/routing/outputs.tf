output "first_target_group_arn" {
  description = "ARN of the first target group, for the listener's default action."
  value       = aws_lb_target_group.this["first"].arn
}

output "target_group_arn" {
  description = "ARN of the first target group, known once a listener forwards to it."
  value       = aws_lb_target_group.this["first"].arn

  # ECS refuses a service whose target group belongs to no load balancer.
  depends_on = [aws_lb_listener_rule.this]
}

output "target_group_arn_suffixes" {
  description = "The two target groups as CloudWatch names them; which of them has the tasks, deployments decide."
  value       = [for place in ["first", "second"] : aws_lb_target_group.this[place].arn_suffix]
}

output "blue_green" {
  description = "What ECS needs to move traffic between the two target groups, except its role."
  value = {
    target_group_arn             = aws_lb_target_group.this["first"].arn
    alternate_target_group_arn   = aws_lb_target_group.this["second"].arn
    production_listener_rule_arn = aws_lb_listener_rule.this["production"].arn
    test_listener_rule_arn       = one([for name, rule in aws_lb_listener_rule.this : rule.arn if name == "preview"])
  }
}
