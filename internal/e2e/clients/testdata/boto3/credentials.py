"""Access keys, passwords, MFA devices, certificates, and who is asking."""

from harness import ClientError, client, code, equal, refused, run

iam = client()
iam.create_user(UserName="Bob")


def access_keys():
    key = iam.create_access_key(UserName="Bob")["AccessKey"]
    equal(iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"]), {
        "UserName": "Bob", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"},
        "ResponseMetadata": ANYTHING,
    })
    caller = client("sts", key, region="eu-west-3").get_caller_identity()
    equal(caller["Arn"], "arn:aws:iam::123456789012:user/Bob")
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
    equal((used["ServiceName"], used["Region"]), ("sts", "eu-west-3"))
    assert used["LastUsedDate"].tzinfo
    with refused(ClientError, "AccessDenied", 403, "because no identity-based policy allows the iam:CreateUser action"):
        client(key=key).create_user(UserName="eve")
    iam.create_access_key(UserName="Bob")
    with refused(iam.exceptions.LimitExceededException, "LimitExceeded", 409):
        iam.create_access_key(UserName="Bob")
    iam.update_access_key(UserName="Bob", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with refused(ClientError, "InvalidClientTokenId", 403):
        client("sts", key).get_caller_identity()
    with refused(iam.exceptions.DeleteConflictException, "DeleteConflict", 409):
        iam.delete_user(UserName="Bob")
    for k in iam.get_paginator("list_access_keys").paginate(UserName="Bob").search("AccessKeyMetadata"):
        iam.delete_access_key(UserName="Bob", AccessKeyId=k["AccessKeyId"])


class Anything:
    def __eq__(self, other):
        return True


ANYTHING = Anything()


def signatures():
    wrong = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "wrong"}
    with refused(ClientError, "SignatureDoesNotMatch", 403):
        client(key=wrong).list_users()
    unknown = {"AccessKeyId": "AKIAI44QH8DHBEXAMPLE", "SecretAccessKey": "wrong"}
    with refused(ClientError, "InvalidClientTokenId", 403):
        client(key=unknown).list_users()


def presigned():
    """A presigned URL of GetCallerIdentity is how other services ask who one is."""
    import urllib.request

    url = client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url) as answer:
        assert b"<Arn>arn:aws:iam::123456789012:root</Arn>" in answer.read()


def passwords():
    created = iam.create_login_profile(UserName="Bob", Password="h4-Pretty&=%+ é", PasswordResetRequired=True)
    equal(created["LoginProfile"]["PasswordResetRequired"], True)
    with refused(iam.exceptions.EntityAlreadyExistsException, "EntityAlreadyExists", 409):
        iam.create_login_profile(UserName="Bob", Password="h4-Pretty&=%+ é")
    with refused(iam.exceptions.PasswordPolicyViolationException, "PasswordPolicyViolation", 400):
        iam.update_login_profile(UserName="Bob", Password="short")
    iam.update_account_password_policy(AllowUsersToChangePassword=True, MinimumPasswordLength=12)
    key = iam.create_access_key(UserName="Bob")["AccessKey"]
    bob = client(key=key)
    bob.change_password(OldPassword="h4-Pretty&=%+ é", NewPassword="An0ther-password")
    with refused(ClientError, "AccessDenied", 403):
        bob.change_password(OldPassword="h4-Pretty&=%+ é", NewPassword="A-third-passw0rd")
    policy = bob.get_account_password_policy()["PasswordPolicy"]
    equal((policy["MinimumPasswordLength"], policy["ExpirePasswords"], "MaxPasswordAge" in policy), (12, False, False))
    iam.delete_account_password_policy()
    iam.delete_login_profile(UserName="Bob")
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404):
        iam.get_login_profile(UserName="Bob")
    iam.delete_access_key(UserName="Bob", AccessKeyId=key["AccessKeyId"])


def mfa():
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    seed, serial = device["Base32StringSeed"], device["SerialNumber"]
    assert isinstance(seed, bytes) and device["QRCodePNG"].startswith(b"\x89PNG"), device
    with refused(iam.exceptions.InvalidAuthenticationCodeException, "InvalidAuthenticationCode", 403):
        iam.enable_mfa_device(UserName="Bob", SerialNumber=serial, AuthenticationCode1=code(seed), AuthenticationCode2=code(seed))
    iam.enable_mfa_device(UserName="Bob", SerialNumber=serial, AuthenticationCode1=code(seed, -1), AuthenticationCode2=code(seed))
    equal([d["SerialNumber"] for p in iam.get_paginator("list_mfa_devices").paginate(UserName="Bob") for d in p["MFADevices"]], [serial])
    listed = list(iam.get_paginator("list_virtual_mfa_devices").paginate(AssignmentStatus="Assigned"))[0]["VirtualMFADevices"][0]
    equal(listed["User"]["UserName"], "Bob")
    assert "Base32StringSeed" not in listed and "QRCodePNG" not in listed, listed
    iam.resync_mfa_device(UserName="Bob", SerialNumber=serial, AuthenticationCode1=code(seed, 1), AuthenticationCode2=code(seed, 2))
    with refused(iam.exceptions.DeleteConflictException, "DeleteConflict", 409):
        iam.delete_virtual_mfa_device(SerialNumber=serial)
    iam.deactivate_mfa_device(UserName="Bob", SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)


def others():
    with refused(iam.exceptions.MalformedCertificateException, "MalformedCertificate", 400):
        iam.upload_signing_certificate(UserName="Bob", CertificateBody="nonsense")
    with refused(iam.exceptions.UnrecognizedPublicKeyEncodingException, "UnrecognizedPublicKeyEncoding", 400):
        iam.upload_ssh_public_key(UserName="Bob", SSHPublicKeyBody="nonsense")
    made = iam.create_service_specific_credential(UserName="Bob", ServiceName="codecommit.amazonaws.com")["ServiceSpecificCredential"]
    equal(made["ServiceUserName"], "Bob-at-123456789012")
    iam.delete_service_specific_credential(UserName="Bob", ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"])
    iam.create_account_alias(AccountAlias="example")
    equal(iam.list_account_aliases()["AccountAliases"], ["example"])
    iam.delete_account_alias(AccountAlias="example")
    equal(iam.get_account_summary()["SummaryMap"]["Users"], 1)
    iam.delete_user(UserName="Bob")


run(access_keys, signatures, presigned, passwords, mfa, others)
