# iam.tf - who may do what: machines pull, GitHub's workflows push, deploybot pulls and writes its audit log, people log in.
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

# ---- people: a shell by Session Manager, without a port that is open ----

data "aws_iam_policy_document" "sessions" {
  # What the agent on a machine asks of Systems Manager for sessions, and nothing for its commands from afar.
  statement {
    actions = [
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "app_sessions" {
  count = var.sessions ? 1 : 0

  name   = "sessions"
  role   = aws_iam_role.app.id
  policy = data.aws_iam_policy_document.sessions.json
}

resource "aws_iam_role_policy" "deploybot_sessions" {
  count = var.sessions && var.deploybot_instance ? 1 : 0

  name   = "sessions"
  role   = aws_iam_role.deploybot[0].id
  policy = data.aws_iam_policy_document.sessions.json
}

data "aws_iam_policy_document" "people" {
  # On these machines alone, a shell or ssh through it, and no other document of Systems Manager.
  statement {
    actions = ["ssm:StartSession"]
    resources = concat(
      [for machine in aws_instance.app : machine.arn],
      aws_instance.deploybot[*].arn,
      [
        "arn:aws:ssm:${var.region}::document/AWS-StartSSHSession",
        "arn:aws:ssm:${var.region}:${data.aws_caller_identity.me.account_id}:document/SSM-SessionManagerRunShell",
      ],
    )

    condition {
      test     = "BoolIfExists"
      variable = "ssm:SessionDocumentAccessCheck"
      values   = ["true"]
    }
  }

  # A session is named after who began it.
  statement {
    actions   = ["ssm:ResumeSession", "ssm:TerminateSession"]
    resources = ["arn:aws:ssm:${var.region}:${data.aws_caller_identity.me.account_id}:session/$${aws:userid}-*"]
  }
}

resource "aws_iam_policy" "people" {
  count = var.sessions ? 1 : 0

  name        = "${var.project}-people"
  description = "People of ${var.project}: sessions on its machines"
  policy      = data.aws_iam_policy_document.people.json
}

# ---- the VPC's flow log ----

data "aws_iam_policy_document" "flow_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

resource "aws_iam_role" "flow" {
  count = var.flow_log_days == 0 ? 0 : 1

  name               = "${var.project}-flow"
  assume_role_policy = data.aws_iam_policy_document.flow_assumes.json
}

data "aws_iam_policy_document" "flow" {
  statement {
    actions = [
      "logs:CreateLogStream",
      "logs:DescribeLogGroups",
      "logs:DescribeLogStreams",
      "logs:PutLogEvents",
    ]
    resources = ["arn:aws:logs:${var.region}:${data.aws_caller_identity.me.account_id}:log-group:/${var.project}/flow:*"]
  }
}

resource "aws_iam_role_policy" "flow" {
  count = var.flow_log_days == 0 ? 0 : 1

  name   = "write"
  role   = aws_iam_role.flow[0].id
  policy = data.aws_iam_policy_document.flow.json
}

# ---- copies of disks ----

data "aws_iam_policy_document" "snapshots_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["dlm.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.me.account_id]
    }
  }
}

resource "aws_iam_role" "snapshots" {
  count = var.snapshot_days == 0 ? 0 : 1

  name               = "${var.project}-snapshots"
  assume_role_policy = data.aws_iam_policy_document.snapshots_assumes.json
}

data "aws_iam_policy_document" "snapshots" {
  statement {
    actions   = ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"]
    resources = ["*"]
  }

  statement {
    actions   = ["ec2:CreateSnapshot"]
    resources = ["arn:aws:ec2:${var.region}:${data.aws_caller_identity.me.account_id}:volume/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Snapshots"
      values   = [var.project]
    }
  }

  # A snapshot has no name before it is made.
  statement {
    actions   = ["ec2:CreateSnapshot", "ec2:CreateTags"]
    resources = ["arn:aws:ec2:${var.region}::snapshot/*"]
  }

  statement {
    actions   = ["ec2:DeleteSnapshot"]
    resources = ["arn:aws:ec2:${var.region}::snapshot/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Snapshots"
      values   = [var.project]
    }
  }
}

resource "aws_iam_role_policy" "snapshots" {
  count = var.snapshot_days == 0 ? 0 : 1

  name   = "copy"
  role   = aws_iam_role.snapshots[0].id
  policy = data.aws_iam_policy_document.snapshots.json
}
