# main.tf - the provider, and the tags that destroy.sh looks for; what is made stands in the file of its topic.
# SPDX-License-Identifier: ISC

# Credentials come from the environment or from `aws configure`: none stand in a file here.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      # destroy.sh deletes what carries all three: a product's own Project tag alone says nothing of who made it, and
      # what has no region (roles, the bucket's name) must not fall to a run for another region.
      Project   = var.project
      ManagedBy = "deploybot-terraform"
      Region    = var.region
    }
  }
}
