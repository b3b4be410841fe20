# compute.tf - the machines: staging, production, and one for deploybot where it is asked for; copies of their disks.
# SPDX-License-Identifier: ISC

# 136693071363 is Debian's own account (https://wiki.debian.org/Cloud/AmazonEC2Image).
data "aws_ami" "debian" {
  count = var.ami_id == null ? 1 : 0

  most_recent = true
  owners      = ["136693071363"]

  filter {
    name   = "name"
    values = ["debian-12-amd64-*"]
  }

  filter {
    name   = "virtualization-type"
    values = ["hvm"]
  }
}

locals {
  ami = var.ami_id == null ? data.aws_ami.debian[0].id : var.ami_id

  # host.sh is a whole script, read and checked as it stands; what it is told stands before it.
  host_script = file("${path.module}/host.sh")
  sessions    = "SESSIONS='${var.sessions ? var.region : ""}'"
}

resource "aws_key_pair" "admin" {
  key_name   = var.project
  public_key = var.admin_public_key
}

resource "aws_instance" "app" {
  for_each = { staging = 0, production = 1 }

  ami                     = local.ami
  instance_type           = var.instance_type
  subnet_id               = aws_subnet.public[each.value].id
  vpc_security_group_ids  = [aws_security_group.app.id]
  key_name                = aws_key_pair.admin.key_name
  iam_instance_profile    = aws_iam_instance_profile.app.name
  disable_api_termination = each.key == "production" && var.protect_production

  user_data = join("\n", [
    "#!/bin/bash",
    "ROLE=app",
    "DEPLOY_PUBLIC_KEY='${var.deploy_public_key}'",
    "REGISTRY='${local.registry}'",
    "DOMAIN='${lookup(var.domains, each.key, "")}' EMAIL='${var.certificate_email}' APP_PORT=${var.app_port}",
    local.sessions,
    local.host_script,
  ])

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # a container is one hop further: it gets no credentials of the machine
  }

  root_block_device {
    volume_type           = "gp3"
    volume_size           = var.root_volume_gb
    encrypted             = true
    delete_on_termination = true
    tags                  = each.key == "production" ? { Snapshots = var.project } : {}
  }

  # A newer image of Debian or another text of host.sh replaces no machine that runs.
  lifecycle {
    ignore_changes = [ami, user_data]
  }

  tags = { Name = "${var.project}-${each.key}" }
}

resource "aws_eip" "app" {
  for_each = aws_instance.app

  domain   = "vpc"
  instance = each.value.id

  tags = { Name = "${var.project}-${each.key}" }

  depends_on = [aws_internet_gateway.main]
}

resource "aws_instance" "deploybot" {
  count = var.deploybot_instance ? 1 : 0

  ami                     = local.ami
  instance_type           = "t3.micro"
  subnet_id               = aws_subnet.public[0].id
  vpc_security_group_ids  = [aws_security_group.deploybot[0].id]
  key_name                = aws_key_pair.admin.key_name
  iam_instance_profile    = aws_iam_instance_profile.deploybot[0].name
  disable_api_termination = false

  user_data = join("\n", [
    "#!/bin/bash",
    "ROLE=deploybot",
    local.sessions,
    local.host_script,
  ])

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type           = "gp3"
    volume_size           = var.root_volume_gb
    encrypted             = true
    delete_on_termination = true
    tags                  = { Snapshots = var.project }
  }

  lifecycle {
    ignore_changes = [ami, user_data]
  }

  tags = { Name = "${var.project}-deploybot" }
}

resource "aws_eip" "deploybot" {
  count = var.deploybot_instance ? 1 : 0

  domain   = "vpc"
  instance = aws_instance.deploybot[0].id

  tags = { Name = "${var.project}-deploybot" }

  depends_on = [aws_internet_gateway.main]
}

# ---- the disks of production and of deploybot, once a day; copies carry the tags of what they are of ----

resource "aws_dlm_lifecycle_policy" "snapshots" {
  count = var.snapshot_days == 0 ? 0 : 1

  description        = "Disks of ${var.project}"
  execution_role_arn = aws_iam_role.snapshots[0].arn
  state              = "ENABLED"

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { Snapshots = var.project }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["03:00"]
      }

      retain_rule {
        count = var.snapshot_days
      }
    }
  }

  depends_on = [aws_iam_role_policy.snapshots]
}
