mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/1"
      domain_validation_options = [{
        domain_name           = "triflow-ai.com"
        resource_record_name  = "_a.triflow-ai.com."
        resource_record_type  = "CNAME"
        resource_record_value = "_b.acm-validations.aws."
      }]
    }
  }
  mock_resource "aws_route53_zone" {
    defaults = { zone_id = "ZCREATED00001", name_servers = ["ns-1.example", "ns-2.example"] }
  }
}

variables {
  name   = "triflow-ai.com"
  target = { dns_name = "alb.ap-northeast-2.elb.amazonaws.com", zone_id = "ZALB000000001" }
}

run "creates_the_zone" {
  assert {
    condition     = length(aws_route53_zone.this) == 1 && output.name_servers == tolist(["ns-1.example", "ns-2.example"])
    error_message = "Without a zone one is created, and its name servers are told."
  }

  assert {
    condition     = aws_acm_certificate.this.validation_method == "DNS" && aws_route53_record.validation.name == "_a.triflow-ai.com."
    error_message = "The certificate is validated by a record in the zone."
  }

  assert {
    condition     = aws_route53_record.this.type == "A" && aws_route53_record.this.alias[0].zone_id == "ZALB000000001"
    error_message = "The name is an alias of the load balancer."
  }
}

run "uses_the_zone_that_is_there" {
  variables {
    zone_id = "ZEXISTING0001"
  }

  assert {
    condition     = length(aws_route53_zone.this) == 0 && aws_route53_record.this.zone_id == "ZEXISTING0001" && length(output.name_servers) == 0
    error_message = "With a zone given, none is created."
  }
}

run "bad_names_are_refused" {
  command = plan
  variables {
    name    = "https://triflow-ai.com"
    zone_id = "zone"
  }
  expect_failures = [var.name, var.zone_id]
}
