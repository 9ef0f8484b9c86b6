output "ids" {
  value = {
    build_key  = aws_iam_access_key.build.id
    off_key    = aws_iam_access_key.off.id
    ssh_key    = aws_iam_user_ssh_key.ann.ssh_public_key_id
    credential = aws_iam_service_specific_credential.git.service_specific_credential_id
    signing    = aws_iam_signing_certificate.ann.certificate_id
    linked     = aws_iam_service_linked_role.support.arn
  }
}
