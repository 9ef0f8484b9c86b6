data "aws_iam_policy_document" "report" {
  statement {
    sid       = "Report"
    actions   = ["iam:GenerateCredentialReport", "iam:GetCredentialReport"]
    resources = ["*"]
  }
}

data "aws_iam_policy_document" "self" {
  statement {
    actions   = ["iam:*AccessKey*", "iam:ChangePassword"]
    resources = ["arn:aws:iam::*:user/$${aws:username}"]
    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }
  }
}

resource "aws_iam_policy" "report" {
  name        = "CredentialReport"
  path        = "/audit/"
  description = "Read the credential report"
  policy      = data.aws_iam_policy_document.report.json
  tags        = { purpose = "audit" }
}

resource "aws_iam_policy" "boundary" {
  name   = "Boundary"
  policy = data.aws_iam_policy_document.self.json
}

resource "aws_iam_group" "auditors" {
  name = "Auditors"
  path = "/security/"
}

resource "aws_iam_group" "developers" {
  name = "Developers"
}

resource "aws_iam_user_group_membership" "build" {
  user   = aws_iam_user.build.name
  groups = [aws_iam_group.developers.name]
}

resource "aws_iam_group_policy" "self" {
  name   = "self"
  group  = aws_iam_group.developers.name
  policy = data.aws_iam_policy_document.self.json
}

resource "aws_iam_user_policy" "build" {
  name   = "inline"
  user   = aws_iam_user.build.name
  policy = data.aws_iam_policy_document.report.json
}

resource "aws_iam_group_policy_attachment" "auditors" {
  group      = aws_iam_group.auditors.name
  policy_arn = aws_iam_policy.report.arn
}

resource "aws_iam_group_policy_attachment" "readonly" {
  group      = aws_iam_group.auditors.name
  policy_arn = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
}

resource "aws_iam_user_policy_attachment" "build" {
  user       = aws_iam_user.build.name
  policy_arn = aws_iam_policy.report.arn
}

data "aws_iam_policy" "readonly" {
  name = "ReadOnlyAccess"
}
