# Everything again, found by what it is called: nothing is to be added,
# changed or destroyed.
variable "ids" { type = map(string) }

locals { prefix = "arn:aws:iam::123456789012" }

import {
  to = aws_iam_account_alias.this
  id = "terraform-proof"
}
import {
  to = aws_iam_account_password_policy.this
  id = "iam-account-password-policy"
}
import {
  to = aws_iam_user.ann
  id = "Ann"
}
import {
  to = aws_iam_user.build
  id = "build@example"
}
import {
  to = aws_iam_access_key.build
  id = var.ids.build_key
}
import {
  to = aws_iam_access_key.off
  id = var.ids.off_key
}
import {
  to = aws_iam_user_login_profile.ann
  id = "Ann"
}
import {
  to = aws_iam_virtual_mfa_device.phone
  id = "${local.prefix}:mfa/devices/phone"
}
import {
  to = aws_iam_user_ssh_key.ann
  id = "Ann:${var.ids.ssh_key}:SSH"
}
import {
  to = aws_iam_service_specific_credential.git
  id = "codecommit.amazonaws.com:Ann:${var.ids.credential}"
}
import {
  to = aws_iam_signing_certificate.ann
  id = "${var.ids.signing}:Ann"
}
import {
  to = aws_iam_server_certificate.web
  id = "web"
}
import {
  to = aws_iam_policy.report
  id = "${local.prefix}:policy/audit/CredentialReport"
}
import {
  to = aws_iam_policy.boundary
  id = "${local.prefix}:policy/Boundary"
}
import {
  to = aws_iam_group.auditors
  id = "Auditors"
}
import {
  to = aws_iam_group.developers
  id = "Developers"
}
import {
  to = aws_iam_user_group_membership.build
  id = "build@example/Developers"
}
import {
  to = aws_iam_group_policy.self
  id = "Developers:self"
}
import {
  to = aws_iam_user_policy.build
  id = "build@example:inline"
}
import {
  to = aws_iam_group_policy_attachment.auditors
  id = "Auditors/${local.prefix}:policy/audit/CredentialReport"
}
import {
  to = aws_iam_group_policy_attachment.readonly
  id = "Auditors/arn:aws:iam::aws:policy/IAMReadOnlyAccess"
}
import {
  to = aws_iam_user_policy_attachment.build
  id = "build@example/${local.prefix}:policy/audit/CredentialReport"
}
import {
  to = aws_iam_role.instance
  id = "Instance"
}
import {
  to = aws_iam_role.people
  id = "People"
}
import {
  to = aws_iam_role.ci
  id = "CI"
}
import {
  to = aws_iam_role_policy.people
  id = "People:inline"
}
import {
  to = aws_iam_role_policy_attachment.instance
  id = "Instance/arn:aws:iam::aws:policy/IAMReadOnlyAccess"
}
import {
  to = aws_iam_role_policy_attachment.ci
  id = "CI/${local.prefix}:policy/audit/CredentialReport"
}
import {
  to = aws_iam_instance_profile.instance
  id = "Instance"
}
import {
  to = aws_iam_openid_connect_provider.ci
  id = "${local.prefix}:oidc-provider/ci.example.com"
}
import {
  to = aws_iam_service_linked_role.support
  id = var.ids.linked
}
