mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name                 = "triflow-ai-production"
  cidr                 = "10.0.0.0/16"
  availability_zones   = ["ap-northeast-2a", "ap-northeast-2c"]
  flow_log_destination = "arn:aws:s3:::triflow-ai-prod-123456789012"
}

run "subnets_of_the_architecture_document" {
  command = plan

  assert {
    condition     = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == { ap-northeast-2a = "10.0.1.0/24", ap-northeast-2c = "10.0.2.0/24" }
    error_message = "Public subnets are 10.0.1.0/24 and 10.0.2.0/24."
  }

  assert {
    condition     = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == { ap-northeast-2a = "10.0.11.0/24", ap-northeast-2c = "10.0.12.0/24" }
    error_message = "Private subnets are 10.0.11.0/24 and 10.0.12.0/24."
  }

  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.ap-northeast-2.s3" && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway"
    error_message = "S3 is reached through the free gateway endpoint."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.log_destination_type == "s3"
    error_message = "All traffic is logged, to the bucket."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.private : !coalesce(subnet.map_public_ip_on_launch, false)])
    error_message = "Nothing in a private subnet gets a public address."
  }
}

run "private_subnets_leave_through_the_nat_gateway_only" {
  assert {
    condition     = alltrue([for route in aws_route_table.private.route : route.nat_gateway_id == aws_nat_gateway.this.id && coalesce(route.gateway_id, "none") == "none"])
    error_message = "The private route table must lead to the NAT gateway."
  }

  assert {
    condition     = alltrue([for link in aws_route_table_association.private : link.route_table_id == aws_route_table.private.id])
    error_message = "Every private subnet uses the private route table."
  }

  assert {
    condition     = aws_nat_gateway.this.subnet_id == aws_subnet.public["ap-northeast-2a"].id
    error_message = "The NAT gateway stands in the first zone."
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) + length(aws_default_security_group.this.egress) == 0
    error_message = "The network's own default group stays empty."
  }
}

run "one_zone_is_refused" {
  command = plan
  variables {
    availability_zones = ["ap-northeast-2a"]
  }
  expect_failures = [var.availability_zones]
}

run "the_same_zone_twice_is_refused" {
  command = plan
  variables {
    availability_zones = ["ap-northeast-2a", "ap-northeast-2a"]
  }
  expect_failures = [var.availability_zones]
}

run "small_range_is_refused" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}
