output "vpc_id" {
  description = "Id of the network."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets with a way in from the internet, in the order of the zones."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Subnets that reach the internet only through the NAT gateway, in the order of the zones."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]

  # A task started before its way out exists cannot pull its image.
  depends_on = [aws_route_table_association.private]
}

output "nat_public_ip" {
  description = "The address under which the private subnets appear on the internet."
  value       = aws_eip.nat.public_ip
}
