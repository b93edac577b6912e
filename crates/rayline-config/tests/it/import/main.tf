terraform {
  required_providers {
    cloudflare = { source = "cloudflare/cloudflare", version = "~> 5" }
  }
}

variable "zone" {
  default = "shop.example"
}

variable "secret_ip" {}

locals {
  origin = "192.0.2.10"
}

resource "cloudflare_zone" "shop" {
  account = { id = "023e105f4ecef8ad9ca31a8372d0c353" }
  name    = var.zone
}

resource "cloudflare_dns_record" "apex" {
  zone_id = cloudflare_zone.shop.id
  name    = "@"
  type    = "A"
  content = local.origin
  proxied = true
  ttl     = 1
}

# version 4
resource "cloudflare_record" "www" {
  zone_id = cloudflare_zone.shop.id
  name    = "www"
  type    = "CNAME"
  value   = "${var.zone}"
  proxied = true
}

resource "cloudflare_dns_record" "secret" {
  zone_id = cloudflare_zone.shop.id
  name    = "secret"
  type    = "A"
  content = var.secret_ip
  ttl     = 1
}

resource "cloudflare_zone_settings_override" "shop" {
  zone_id = cloudflare_zone.shop.id
  settings {
    ssl              = "full"
    always_use_https = "on"
    polish           = "lossy"
  }
}

resource "cloudflare_zone_setting" "tls" {
  zone_id    = cloudflare_zone.shop.id
  setting_id = "min_tls_version"
  value      = "1.2"
}

resource "cloudflare_ruleset" "headers" {
  zone_id = cloudflare_zone.shop.id
  name    = "headers"
  kind    = "zone"
  phase   = "http_response_headers_transform"
  rules {
    action      = "rewrite"
    expression  = "true"
    description = "version 4 writes blocks"
    action_parameters {
      headers {
        name      = "X-Frame-Options"
        operation = "set"
        value     = "DENY"
      }
      headers {
        name      = "X-Powered-By"
        operation = "remove"
      }
    }
  }
}

resource "cloudflare_ruleset" "custom" {
  zone_id = cloudflare_zone.shop.id
  name    = "custom"
  kind    = "zone"
  phase   = "http_request_firewall_custom"
  rules = [
    {
      ref         = "office"
      action      = "block"
      description = "version 5 writes values"
      expression  = <<-EOT
        http.request.uri.path contains "/admin"
        and not ip.src in $office
      EOT
      action_parameters = {
        response = { status_code = 403, content_type = "text/plain", content = "no" }
      }
    },
    {
      action     = "block"
      expression = "cf.threat_score gt 10"
    },
  ]
}

resource "cloudflare_list" "office" {
  account_id = "023e105f4ecef8ad9ca31a8372d0c353"
  name       = "office"
  kind       = "ip"
  item {
    value {
      ip = "192.0.2.0/24"
    }
    comment = "ours"
  }
}

resource "cloudflare_page_rule" "plain" {
  zone_id  = cloudflare_zone.shop.id
  target   = "${var.zone}/plain/*"
  priority = 1
  actions {
    ssl         = "flexible"
    cache_level = "bypass"
  }
}

resource "cloudflare_access_rule" "bad" {
  zone_id = cloudflare_zone.shop.id
  mode    = "block"
  configuration = { target = "ip_range", value = "198.51.100.0/24" }
  notes   = "scrapes"
}

resource "cloudflare_workers_script" "hello" {
  account_id  = "x"
  script_name = "hello"
  content     = file("hello.js")
}

resource "cloudflare_dns_record" "many" {
  for_each = toset(["a", "b"])
  zone_id  = cloudflare_zone.shop.id
  name     = each.key
  type     = "A"
  content  = "192.0.2.11"
  ttl      = 1
}
