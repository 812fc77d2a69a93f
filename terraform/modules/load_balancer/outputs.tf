output "arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "The load balancer as CloudWatch names it."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "AWS's own name of the load balancer. Its certificate is for the service's domain, not for this name."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Zone of the load balancer's own name, for alias records."
  value       = aws_lb.this.zone_id
}

output "listener_arn" {
  description = "HTTPS listener, for the rules of the services behind it."
  value       = aws_lb_listener.https.arn
}
