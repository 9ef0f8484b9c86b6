resource "aws_iam_account_alias" "this" {
  account_alias = "terraform-proof"
}

resource "aws_iam_account_password_policy" "this" {
  minimum_password_length        = 14
  require_symbols                = true
  require_numbers                = true
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  allow_users_to_change_password = true
  max_password_age               = 90
  password_reuse_prevention      = 5
}

resource "aws_iam_user" "ann" {
  name          = "Ann"
  path          = "/staff/"
  force_destroy = true
  tags          = { team = "platform", Cost = "42" }
  lifecycle {
    ignore_changes = [force_destroy] # is Terraform's own, and in no import
  }
}

resource "aws_iam_user" "build" {
  name                 = "build@example"
  permissions_boundary = aws_iam_policy.boundary.arn
}

resource "aws_iam_access_key" "build" {
  user = aws_iam_user.build.name
}

resource "aws_iam_access_key" "off" {
  user   = aws_iam_user.build.name
  status = "Inactive"
}

resource "aws_iam_user_login_profile" "ann" {
  user                    = aws_iam_user.ann.name
  password_length         = 20
  password_reset_required = true
  depends_on              = [aws_iam_account_password_policy.this]
  lifecycle {
    ignore_changes = [password_length, password_reset_required]
  }
}

resource "aws_iam_virtual_mfa_device" "phone" {
  virtual_mfa_device_name = "phone"
  path                    = "/devices/"
  tags                    = { owner = "Ann" }
}

resource "aws_iam_user_ssh_key" "ann" {
  username   = aws_iam_user.ann.name
  encoding   = "SSH"
  public_key = trimspace(file("${path.module}/id_rsa.pub"))
}

resource "aws_iam_service_specific_credential" "git" {
  user_name    = aws_iam_user.ann.name
  service_name = "codecommit.amazonaws.com"
}

resource "aws_iam_signing_certificate" "ann" {
  user_name        = aws_iam_user.ann.name
  certificate_body = file("${path.module}/certificate.pem")
}

resource "aws_iam_server_certificate" "web" {
  name             = "web"
  path             = "/cloudfront/"
  certificate_body = file("${path.module}/certificate.pem")
  private_key      = file("${path.module}/key.pem")
  tags             = { site = "www" }
  lifecycle {
    ignore_changes = [private_key] # cannot be read back
  }
}
