output "id" {
  description = "Name of the replication group."
  value       = aws_elasticache_replication_group.this.replication_group_id
}

output "node_ids" {
  description = "Names of the nodes as CloudWatch knows them: <group>-001 and on."
  value = [
    for number in range(var.settings.nodes) :
    format("%s-%03d", aws_elasticache_replication_group.this.replication_group_id, number + 1)
  ]
}

output "address" {
  description = "Host name of the primary, stays the same over a failover."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "port" {
  description = "Port of the cache."
  value       = aws_elasticache_replication_group.this.port
}

output "log_group_name" {
  description = "Where engine log and slow log are."
  value       = aws_cloudwatch_log_group.this.name
}
