# versions.tf - which Terraform and which provider this was written for.
# SPDX-License-Identifier: ISC

terraform {
  required_version = "~> 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25.0"
    }
  }
}
