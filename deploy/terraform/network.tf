# network.tf - one VPC with a public subnet in each of two zones, who may reach which port, and who tried.
# SPDX-License-Identifier: ISC

data "aws_availability_zones" "here" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

resource "aws_vpc" "main" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.project }
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = { Name = var.project }
}

# Staging is in the first zone, production in the second: the trouble of one zone is not the trouble of both.
resource "aws_subnet" "public" {
  count = 2

  vpc_id                  = aws_vpc.main.id
  cidr_block              = cidrsubnet(var.vpc_cidr, 4, count.index)
  availability_zone       = data.aws_availability_zones.here.names[count.index]
  map_public_ip_on_launch = false # each machine has an address of its own that stays

  tags = { Name = "${var.project}-public-${count.index + 1}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }

  tags = { Name = "${var.project}-public" }
}

resource "aws_route_table_association" "public" {
  count = 2

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

# What is started in this VPC without a group of its own reaches nothing and is reached by nobody.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.main.id

  tags = { Name = "${var.project}-default-closed" }
}

locals {
  # Where a deploybot outside of the VPC comes from; null: it is inside.
  deploybot_elsewhere = var.deploybot_instance ? null : coalesce(var.deploybot_cidr, var.admin_cidr)
}

resource "aws_security_group" "app" {
  name        = "${var.project}-app"
  description = "Staging and production of ${var.project}"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.project}-app" }
}

resource "aws_vpc_security_group_ingress_rule" "app_ssh" {
  count = var.admin_cidr == null ? 0 : 1

  security_group_id = aws_security_group.app.id
  description       = "ssh from the one address that people come from"
  cidr_ipv4         = var.admin_cidr
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

# People and deploybot come from addresses of their own: either can be taken away without the other.
resource "aws_vpc_security_group_ingress_rule" "app_ssh_deploybot" {
  count = local.deploybot_elsewhere == null || local.deploybot_elsewhere == var.admin_cidr ? 0 : 1

  security_group_id = aws_security_group.app.id
  description       = "ssh from deploybot elsewhere"
  cidr_ipv4         = local.deploybot_elsewhere
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

resource "aws_vpc_security_group_ingress_rule" "app_web" {
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.app.id
  description       = "${each.key} from everywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "app_health" {
  count = var.health_port == null || local.deploybot_elsewhere == null ? 0 : 1

  security_group_id = aws_security_group.app.id
  description       = "health, asked by deploybot elsewhere"
  cidr_ipv4         = local.deploybot_elsewhere
  ip_protocol       = "tcp"
  from_port         = var.health_port
  to_port           = var.health_port
}

# Images, packages, certificates, and whatever your application calls.
resource "aws_vpc_security_group_egress_rule" "app_out" {
  security_group_id = aws_security_group.app.id
  description       = "everywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

# ---- deploybot's own machine, where there is one: it reaches the others as a member of its group ----

resource "aws_security_group" "deploybot" {
  count = var.deploybot_instance ? 1 : 0

  name        = "${var.project}-deploybot"
  description = "deploybot of ${var.project}"
  vpc_id      = aws_vpc.main.id

  tags = { Name = "${var.project}-deploybot" }
}

resource "aws_vpc_security_group_ingress_rule" "deploybot_ssh" {
  count = var.deploybot_instance && var.admin_cidr != null ? 1 : 0

  security_group_id = aws_security_group.deploybot[0].id
  description       = "ssh from the one address that people come from"
  cidr_ipv4         = var.admin_cidr
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}

# Webhooks of Telegram and GitHub; 80 for the certificate's challenge.
resource "aws_vpc_security_group_ingress_rule" "deploybot_web" {
  for_each = var.deploybot_instance ? { http = 80, https = 443 } : {}

  security_group_id = aws_security_group.deploybot[0].id
  description       = "${each.key} from everywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_egress_rule" "deploybot_out" {
  count = var.deploybot_instance ? 1 : 0

  security_group_id = aws_security_group.deploybot[0].id
  description       = "everywhere"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "app_from_deploybot" {
  for_each = var.deploybot_instance ? merge({ ssh = 22 }, var.health_port == null ? {} : { health = var.health_port }) : {}

  security_group_id            = aws_security_group.app.id
  description                  = "${each.key} from deploybot, by its address inside the VPC"
  referenced_security_group_id = aws_security_group.deploybot[0].id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

# ---- who spoke with whom, and who was refused ----

resource "aws_cloudwatch_log_group" "flow" {
  count = var.flow_log_days == 0 ? 0 : 1

  name              = "/${var.project}/flow"
  retention_in_days = var.flow_log_days
}

resource "aws_flow_log" "main" {
  count = var.flow_log_days == 0 ? 0 : 1

  vpc_id          = aws_vpc.main.id
  traffic_type    = "ALL"
  log_destination = aws_cloudwatch_log_group.flow[0].arn
  iam_role_arn    = aws_iam_role.flow[0].arn

  tags = { Name = var.project }

  depends_on = [aws_iam_role_policy.flow]
}
