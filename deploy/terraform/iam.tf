# iam.tf - who may do what: machines pull, GitHub's workflows push, deploybot pulls and writes its audit log.
# SPDX-License-Identifier: ISC

data "aws_caller_identity" "me" {}

locals {
  pull = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
  ]

  push = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer", # where CI deploys, hosts pull with its login
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
  ]
}

data "aws_iam_policy_document" "ec2_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

# ---- staging and production ----

resource "aws_iam_role" "app" {
  name               = "${var.project}-app"
  assume_role_policy = data.aws_iam_policy_document.ec2_assumes.json
}

data "aws_iam_policy_document" "app" {
  # The password is for the whole registry by AWS's design; what it opens is the next statement's.
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions   = local.pull
    resources = [aws_ecr_repository.app.arn]
  }
}

resource "aws_iam_role_policy" "app" {
  name   = "pull"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.app.json
}

resource "aws_iam_instance_profile" "app" {
  name = "${var.project}-app"
  role = aws_iam_role.app.name
}

# ---- GitHub Actions, without a key that lies about ----

# No thumbprint: since July 2023 AWS checks GitHub's certificate against authorities it trusts, and ignores one.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_oidc_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  oidc_provider_arn = "arn:aws:iam::${data.aws_caller_identity.me.account_id}:oidc-provider/token.actions.githubusercontent.com"

  github_subjects = concat(
    [for name in var.github_branches : "repo:${var.github_repository}:ref:refs/heads/${name}"],
    [for name in var.github_environments : "repo:${var.github_repository}:environment:${name}"],
  )
}

data "aws_iam_policy_document" "github_assumes" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.oidc_provider_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = local.github_subjects
    }
  }
}

resource "aws_iam_role" "deploy" {
  name                 = "${var.project}-deploy"
  description          = "Workflows of ${var.github_repository}: push images"
  assume_role_policy   = data.aws_iam_policy_document.github_assumes.json
  max_session_duration = 3600

  depends_on = [aws_iam_openid_connect_provider.github]
}

data "aws_iam_policy_document" "deploy" {
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    actions   = local.push
    resources = [aws_ecr_repository.app.arn]
  }
}

resource "aws_iam_role_policy" "deploy" {
  name   = "push"
  role   = aws_iam_role.deploy.id
  policy = data.aws_iam_policy_document.deploy.json
}

# ---- deploybot: a policy that stands alone, for the machine here or for a user of yours elsewhere ----

data "aws_iam_policy_document" "deploybot" {
  statement {
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  # It removes from the registry what it has pushed and KEEP_RELEASES no longer keeps; what CI pushed is ECR's rule's.
  statement {
    actions   = concat(local.pull, var.deploybot_builds ? concat(local.push, ["ecr:BatchDeleteImage"]) : [])
    resources = [aws_ecr_repository.app.arn]
  }

  # It adds to the audit log; to read, delete or unlock it is not deploybot's.
  statement {
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.audit.arn}/*"]
  }
}

resource "aws_iam_policy" "deploybot" {
  name        = "${var.project}-deploybot"
  description = "deploybot of ${var.project}: pull, write the audit log; build where it is asked to"
  policy      = data.aws_iam_policy_document.deploybot.json
}

resource "aws_iam_role" "deploybot" {
  count = var.deploybot_instance ? 1 : 0

  name               = "${var.project}-deploybot"
  assume_role_policy = data.aws_iam_policy_document.ec2_assumes.json
}

resource "aws_iam_role_policy_attachment" "deploybot" {
  count = var.deploybot_instance ? 1 : 0

  role       = aws_iam_role.deploybot[0].name
  policy_arn = aws_iam_policy.deploybot.arn
}

resource "aws_iam_instance_profile" "deploybot" {
  count = var.deploybot_instance ? 1 : 0

  name = "${var.project}-deploybot"
  role = aws_iam_role.deploybot[0].name
}
