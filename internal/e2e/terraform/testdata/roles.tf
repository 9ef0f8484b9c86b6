data "aws_iam_policy_document" "ec2" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "people" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${data.aws_caller_identity.me.account_id}:root"]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = ["proof"]
    }
  }
}

data "aws_iam_policy_document" "web" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.ci.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "ci.example.com:sub"
      values   = ["repo:main"]
    }
  }
}

resource "aws_iam_role" "instance" {
  name               = "Instance"
  path               = "/service/"
  assume_role_policy = data.aws_iam_policy_document.ec2.json
}

resource "aws_iam_role" "people" {
  name                 = "People"
  description          = "People of this account"
  assume_role_policy   = data.aws_iam_policy_document.people.json
  max_session_duration = 7200
  permissions_boundary = aws_iam_policy.boundary.arn
  tags                 = { Team = "platform" }
}

resource "aws_iam_role" "ci" {
  name                  = "CI"
  assume_role_policy    = data.aws_iam_policy_document.web.json
  force_detach_policies = true
  lifecycle {
    ignore_changes = [force_detach_policies] # is Terraform's own, and in no import
  }
}

resource "aws_iam_role_policy" "people" {
  name   = "inline"
  role   = aws_iam_role.people.id
  policy = data.aws_iam_policy_document.report.json
}

resource "aws_iam_role_policy_attachment" "instance" {
  role       = aws_iam_role.instance.name
  policy_arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
}

resource "aws_iam_role_policy_attachment" "ci" {
  role       = aws_iam_role.ci.name
  policy_arn = aws_iam_policy.report.arn
}

resource "aws_iam_instance_profile" "instance" {
  name = "Instance"
  role = aws_iam_role.instance.name
  tags = { fleet = "web" }
}

resource "aws_iam_openid_connect_provider" "ci" {
  url             = "https://ci.example.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["cf23df2207d99a74fbe169e3eba035e633b65d94"]
  tags            = { used_by = "ci" }
}

resource "aws_iam_service_linked_role" "support" {
  aws_service_name = "autoscaling.amazonaws.com"
  custom_suffix    = "proof"
  description      = "made by Terraform"
}

data "aws_iam_role" "people" {
  name = aws_iam_role.people.name
}

data "aws_iam_session_context" "me" {
  arn = data.aws_caller_identity.me.arn
}
