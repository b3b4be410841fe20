# variables.tf - what may be chosen.  Three have no default: your key, deploybot's key, your repository.
# SPDX-License-Identifier: ISC

variable "project" {
  description = "Names everything here, and the ECR repository: set REGISTRY_IMAGE to it."
  type        = string
  default     = "myapp"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.project)) && length(var.project) >= 2 && length(var.project) <= 20
    error_message = "project is 2 to 20 of a-z 0-9, words joined by single dashes, beginning with a letter: for example \"shop\"."
  }
}

variable "region" {
  description = "The region of AWS."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[1-9]$", var.region))
    error_message = "region is no region's name: for example \"eu-central-1\"."
  }

  validation {
    condition     = !can(regex("^(cn|us-gov|us-iso[a-z]*)-", var.region))
    error_message = "region is one of another partition of AWS (China, GovCloud): policies here name arn:aws: alone."
  }
}

variable "admin_cidr" {
  description = "The one address that people come from with ssh, as ADDRESS/32; null: port 22 is open to no person, and Session Manager is the way in."
  type        = string
  default     = null

  validation {
    condition     = var.admin_cidr == null || try(can(regex("^[0-9.]+/32$", var.admin_cidr)) && can(cidrnetmask(var.admin_cidr)) && var.admin_cidr != "0.0.0.0/32", false)
    error_message = "admin_cidr is null, or one IPv4 address with /32 behind it, for example \"203.0.113.7/32\" (`curl https://checkip.amazonaws.com` says yours): port 22 is open to no network, and the VPC has no IPv6."
  }
}

variable "deploybot_cidr" {
  description = "The address of deploybot's server as ADDRESS/32, where it runs elsewhere: ssh and health; null: it is admin_cidr, or has its machine here."
  type        = string
  default     = null

  validation {
    condition     = var.deploybot_cidr == null || try(can(regex("^[0-9.]+/32$", var.deploybot_cidr)) && can(cidrnetmask(var.deploybot_cidr)) && var.deploybot_cidr != "0.0.0.0/32", false)
    error_message = "deploybot_cidr is null, or one IPv4 address with /32 behind it, for example \"198.51.100.9/32\"."
  }

  validation {
    condition     = var.deploybot_cidr != null || var.admin_cidr != null || var.deploybot_instance
    error_message = "deploybot_cidr is needed: nobody would reach port 22. Give the address of deploybot's server, or its own machine here (deploybot_instance = true), or admin_cidr where it comes from your address."
  }

  validation {
    condition     = var.deploybot_cidr == null || !var.deploybot_instance
    error_message = "deploybot_cidr is of a deploybot elsewhere: with deploybot_instance it comes from inside the VPC, and needs no address."
  }
}

variable "sessions" {
  description = "Session Manager opens a shell for whoever has people_policy_arn (outputs.tf), without an open port. false: with admin_cidr alone."
  type        = bool
  default     = true

  validation {
    condition     = var.sessions || var.admin_cidr != null
    error_message = "sessions = false and no admin_cidr: no person would come in."
  }
}

variable "admin_public_key" {
  description = "Your public ssh key (the text of ~/.ssh/id_ed25519.pub): opens the account admin on each machine."
  type        = string

  validation {
    condition     = can(regex("^(ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/]+={0,2}|ssh-rsa AAAAB3NzaC1yc2E[A-Za-z0-9+/]{300,}={0,2})( [A-Za-z0-9@._:+-]+)?$", var.admin_public_key))
    error_message = "admin_public_key is not the text of a .pub file: EC2 takes ssh-ed25519, or ssh-rsa of 2048 bits or more, on one line. The private key belongs nowhere in here."
  }
}

variable "deploy_public_key" {
  description = "The public half of deploybot's SSH_KEY_PATH: opens the account deploy on staging and production."
  type        = string

  validation {
    condition     = can(regex("^(ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/]+={0,2}|ssh-rsa AAAAB3NzaC1yc2E[A-Za-z0-9+/]{300,}={0,2})( [A-Za-z0-9@._:+-]+)?$", var.deploy_public_key))
    error_message = "deploy_public_key is not the text of a .pub file: make a pair of its own with `ssh-keygen -t ed25519 -N '' -C deploybot -f deploy_key` and take deploy_key.pub."
  }

  validation {
    condition     = try(split(" ", var.deploy_public_key)[1] != split(" ", var.admin_public_key)[1], true)
    error_message = "deploy_public_key is admin_public_key: deploybot has a key of its own, so that either can be taken away without the other."
  }
}

variable "github_repository" {
  description = "The repository whose workflows may push images, as GitHub's tokens name it: OWNER/NAME, or OWNER@ID/NAME@ID where it was made or renamed after 15 July 2026, or has asked for that."
  type        = string

  validation {
    condition     = can(regex("^([A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+|[A-Za-z0-9][A-Za-z0-9-]*@[0-9]+/[A-Za-z0-9._-]+@[0-9]+)$", var.github_repository))
    error_message = "github_repository is OWNER/NAME, or OWNER@ID/NAME@ID with both numbers, without https:// and without a * in it."
  }
}

variable "github_branches" {
  description = "The branches whose workflows may push images."
  type        = list(string)
  default     = ["develop", "main"]

  validation {
    condition     = length(var.github_branches) > 0 && alltrue([for name in var.github_branches : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", name))])
    error_message = "github_branches names at least one branch, each in full: no *, no refs/heads/ before it."
  }

  validation {
    condition     = alltrue([for name in var.github_branches : !startswith(name, "refs/")])
    error_message = "github_branches has plain names: main, not refs/heads/main."
  }
}

variable "github_environments" {
  description = "Environments at GitHub whose jobs may push images too. A job with `environment:` shows itself by that and not by its branch: limit such an environment to branches at GitHub."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.github_environments : can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", name))])
    error_message = "github_environments has environments' names: no *, no blanks."
  }
}

variable "create_oidc_provider" {
  description = "false: the account has GitHub's OIDC provider already (it can have one), and it is used as it is."
  type        = bool
  default     = true
}

variable "instance_type" {
  description = "The size of staging and production; the image is built for amd64."
  type        = string
  default     = "t3.small"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", var.instance_type)) && !can(regex("^[a-z]+[0-9]+g[a-z]*\\.", var.instance_type))
    error_message = "instance_type is no size of an amd64 machine: for example \"t3.small\" (t4g, m7g and the like are arm64)."
  }
}

variable "protect_production" {
  description = "true: nobody ends production's machine by a click or a wrong plan; false: before `terraform destroy`. destroy.sh lifts it by itself."
  type        = bool
  default     = true
}

variable "root_volume_gb" {
  description = "The disk of each machine: system, images of KEEP_RELEASES releases, and your data."
  type        = number
  default     = 30

  validation {
    condition     = var.root_volume_gb >= 10 && var.root_volume_gb <= 16384 && floor(var.root_volume_gb) == var.root_volume_gb
    error_message = "root_volume_gb is a whole number from 10 to 16384."
  }
}

variable "ami_id" {
  description = "An image of Debian 12 of your own; null: the newest that Debian has published."
  type        = string
  default     = null

  validation {
    condition     = var.ami_id == null || can(regex("^ami-[0-9a-f]{8,17}$", var.ami_id))
    error_message = "ami_id is null, or an image's id such as \"ami-0123456789abcdef0\"."
  }
}

variable "vpc_cidr" {
  description = "The addresses of the VPC."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && can(regex("/(1[6-9]|2[0-4])$", var.vpc_cidr)) && can(regex("^(10|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168)\\.", var.vpc_cidr))
    error_message = "vpc_cidr is a private IPv4 network from /16 to /24: for example \"10.20.0.0/16\"."
  }
}

variable "health_port" {
  description = "A port of the application that deploybot alone may ask for its health; null: health is asked on 80 or 443."
  type        = number
  default     = 8080

  validation {
    condition     = var.health_port == null || try(var.health_port >= 1024 && var.health_port <= 65535 && floor(var.health_port) == var.health_port, false)
    error_message = "health_port is null, or a port from 1024 to 65535."
  }
}

variable "keep_images" {
  description = "How many images of commits ECR keeps. CI makes one for each push: keep enough that what runs in production, and what it can go back to, is among them."
  type        = number
  default     = 500

  validation {
    condition     = var.keep_images >= 100 && var.keep_images <= 50000 && floor(var.keep_images) == var.keep_images
    error_message = "keep_images is a whole number from 100: fewer could take from production what it would roll back to."
  }
}

variable "audit_lock_mode" {
  description = "GOVERNANCE: who has s3:BypassGovernanceRetention can delete the audit log; COMPLIANCE: nobody can, nor you, nor AWS, until the days are over."
  type        = string
  default     = "GOVERNANCE"

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.audit_lock_mode)
    error_message = "audit_lock_mode is GOVERNANCE or COMPLIANCE."
  }
}

variable "audit_lock_days" {
  description = "For how many days what is in the audit bucket can be neither changed nor deleted."
  type        = number
  default     = 365

  validation {
    condition     = var.audit_lock_days >= 1 && var.audit_lock_days <= 36500 && floor(var.audit_lock_days) == var.audit_lock_days
    error_message = "audit_lock_days is a whole number from 1 to 36500."
  }
}

variable "deploybot_instance" {
  description = "true: a third machine, for deploybot itself; false: deploybot runs on a server of yours, and deploybot_cidr is its address."
  type        = bool
  default     = false
}

variable "deploybot_builds" {
  description = "true: deploybot may push images (IMAGE_SOURCE=build); false: CI builds, deploybot pulls (IMAGE_SOURCE=registry)."
  type        = bool
  default     = false
}

variable "flow_log_days" {
  description = "For how many days CloudWatch keeps who spoke with the machines, and who was refused; 0: no flow log."
  type        = number
  default     = 30

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_days)
    error_message = "flow_log_days is a number of days that CloudWatch knows: 0 (none), 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, or years up to 3653."
  }
}

variable "snapshot_days" {
  description = "How many daily copies of the disks of production and of deploybot's machine are kept; 0: none are made."
  type        = number
  default     = 7

  validation {
    condition     = var.snapshot_days >= 0 && var.snapshot_days <= 365 && floor(var.snapshot_days) == var.snapshot_days
    error_message = "snapshot_days is a whole number from 0 (none) to 365."
  }
}

variable "domains" {
  description = "The names that people reach the application by, { staging = \"...\", production = \"...\" }: nginx there gets a certificate of Let's Encrypt as soon as the name leads to the machine. {}: you set nginx up."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, name in var.domains : contains(["staging", "production"], key) && can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", name)) && length(name) <= 253])
    error_message = "domains names staging, production or both, each by a host's name in small letters, for example { production = \"shop.example.org\" }."
  }
}

variable "certificate_email" {
  description = "Where Let's Encrypt writes to about those certificates; needed with domains."
  type        = string
  default     = ""

  validation {
    condition     = var.certificate_email == "" || can(regex("^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+\\.[a-z]{2,63}$", var.certificate_email))
    error_message = "certificate_email is no address, for example \"ops@example.org\"."
  }

  validation {
    condition     = var.certificate_email != "" || length(var.domains) == 0
    error_message = "certificate_email is needed with domains: Let's Encrypt warns there before a certificate ends."
  }
}

variable "app_port" {
  description = "The port on 127.0.0.1 that the application's container is published at, for nginx with domains; later releases say theirs (NGINX_UPSTREAM_FILE)."
  type        = number
  default     = 8001

  validation {
    condition     = var.app_port >= 1024 && var.app_port <= 65535 && floor(var.app_port) == var.app_port
    error_message = "app_port is a whole number from 1024 to 65535."
  }
}
