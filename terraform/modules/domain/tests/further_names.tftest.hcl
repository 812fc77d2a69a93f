mock_provider "aws" {
  mock_resource "aws_acm_certificate" {
    defaults = {
      arn = "arn:aws:acm:ap-northeast-2:123456789012:certificate/1"
      domain_validation_options = [
        {
          domain_name           = "onno.app"
          resource_record_name  = "_a.onno.app."
          resource_record_type  = "CNAME"
          resource_record_value = "_b.acm-validations.aws."
        },
        {
          domain_name           = "api.onno.app"
          resource_record_name  = "_c.api.onno.app."
          resource_record_type  = "CNAME"
          resource_record_value = "_d.acm-validations.aws."
        },
      ]
    }
  }
}

variables {
  name          = "onno.app"
  further_names = ["api.onno.app"]
  zone_id       = "ZEXISTING0001"
  target        = { dns_name = "alb.ap-northeast-2.elb.amazonaws.com", zone_id = "ZALB000000001" }
}

run "each_name_is_proven_and_leads_to_the_same_place" {
  assert {
    condition     = aws_route53_record.further["api.onno.app"].alias[0].zone_id == "ZALB000000001" && aws_route53_record.this.name == "onno.app"
    error_message = "The domain and the further name are aliases of the load balancer."
  }

  assert {
    condition     = aws_route53_record.further_validation["api.onno.app"].name == "_c.api.onno.app." && aws_route53_record.validation.name == "_a.onno.app."
    error_message = "Each name has a proof of its own."
  }
}

run "bad_further_names_are_refused" {
  command = plan
  variables {
    further_names = ["https://api.onno.app", "api.onno.app"]
  }
  expect_failures = [var.further_names]
}
