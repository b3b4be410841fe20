# outputs.tf - what settings and secrets are made of.
# SPDX-License-Identifier: ISC

output "ecr_registry" {
  description = "REGISTRY_URL; the image's name there (REGISTRY_IMAGE) is ecr_repository."
  value       = local.registry
}

output "ecr_repository" {
  description = "REGISTRY_IMAGE."
  value       = aws_ecr_repository.app.name
}

output "deploy_role_arn" {
  description = "The role that workflows assume by OIDC."
  value       = aws_iam_role.deploy.arn
}

output "staging_ip" {
  description = "The address of staging for DNS and, where deploybot runs elsewhere, STAGING_HOST."
  value       = aws_eip.app["staging"].public_ip
}

output "production_ip" {
  description = "The address of production for DNS and, where deploybot runs elsewhere, PRODUCTION_HOST."
  value       = aws_eip.app["production"].public_ip
}

output "staging_private_ip" {
  description = "STAGING_HOST where deploybot has its machine in this VPC."
  value       = aws_instance.app["staging"].private_ip
}

output "production_private_ip" {
  description = "PRODUCTION_HOST where deploybot has its machine in this VPC."
  value       = aws_instance.app["production"].private_ip
}

output "deploybot_ip" {
  description = "The address of deploybot's machine, for DNS and TELEGRAM_WEBHOOK_URL; null: there is none."
  value       = one(aws_eip.deploybot[*].public_ip)
}

output "deploybot_policy_arn" {
  description = "What deploybot may do in AWS: attach it to the user whose key it has, where it runs elsewhere."
  value       = aws_iam_policy.deploybot.arn
}

output "people_policy_arn" {
  description = "Attach it to whoever may have a session on the machines; null: sessions = false."
  value       = one(aws_iam_policy.people[*].arn)
}

output "instance_ids" {
  description = "The machines, for `aws ssm start-session --target ID` and for ssh through it."
  value = merge(
    { for name, machine in aws_instance.app : name => machine.id },
    var.deploybot_instance ? { deploybot = aws_instance.deploybot[0].id } : {},
  )
}

output "audit_bucket" {
  description = "The witness of the audit log: AUDIT_S3_BUCKET."
  value       = aws_s3_bucket.audit.bucket
}

output "region" {
  description = "AWS_REGION."
  value       = var.region
}
