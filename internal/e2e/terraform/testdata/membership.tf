# Not importable: AWS's provider says so.
resource "aws_iam_group_membership" "auditors" {
  name  = "auditors"
  group = aws_iam_group.auditors.name
  users = [aws_iam_user.ann.name]
}

data "aws_iam_group" "auditors" {
  group_name = aws_iam_group.auditors.name
  depends_on = [aws_iam_group_membership.auditors]
}
