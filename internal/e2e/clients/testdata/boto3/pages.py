"""Every paginator that the SDK has for IAM, on lists longer than a page."""

import json

import botocore.session

from files import metadata, read
from harness import client, code, equal, run
from model import checked

iam = checked(client())

ANYONE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})
READ = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})
TAGS = [{"Key": "key-%d" % i, "Value": "%d" % i} for i in range(5)]
ARN = "arn:aws:iam::123456789012:"
# What lists what: all that an operation needs to know.
USER, GROUP, ROLE = {"UserName": "u0"}, {"GroupName": "g0"}, {"RoleName": "r0"}
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:GetBucketAcl", "iam:GetUser", "iam:PassRole"]
ASKED = {
    "GetAccountAuthorizationDetails": {}, "GetGroup": GROUP,
    "ListAccessKeys": USER, "ListAccountAliases": {}, "ListMFADevices": USER, "ListVirtualMFADevices": {},
    "ListSSHPublicKeys": USER, "ListSigningCertificates": USER, "ListServerCertificates": {},
    "ListUsers": {}, "ListGroups": {}, "ListRoles": {}, "ListInstanceProfiles": {}, "ListGroupsForUser": USER, "ListInstanceProfilesForRole": ROLE,
    "ListUserPolicies": USER, "ListGroupPolicies": GROUP, "ListRolePolicies": ROLE,
    "ListAttachedUserPolicies": USER, "ListAttachedGroupPolicies": GROUP, "ListAttachedRolePolicies": ROLE,
    "ListPolicies": {"Scope": "Local"}, "ListPolicyVersions": {"PolicyArn": ARN + "policy/p0"}, "ListEntitiesForPolicy": {"PolicyArn": ARN + "policy/p0"},
    "ListUserTags": USER, "ListRoleTags": ROLE, "ListPolicyTags": {"PolicyArn": ARN + "policy/p0"}, "ListInstanceProfileTags": {"InstanceProfileName": "i0"},
    "ListServerCertificateTags": {"ServerCertificateName": "c1"}, "ListMFADeviceTags": {"SerialNumber": ARN + "mfa/m0"},
    "ListOpenIDConnectProviderTags": {"OpenIDConnectProviderArn": ARN + "oidc-provider/idp.example.com"},
    "ListSAMLProviderTags": {"SAMLProviderArn": ARN + "saml-provider/idp"},
    "SimulateCustomPolicy": {"PolicyInputList": [READ], "ActionNames": ACTIONS},
    "SimulatePrincipalPolicy": {"PolicySourceArn": ARN + "user/u0", "ActionNames": ACTIONS},
}


def fill():
    """Five of everything, or what the quotas let be."""
    for i in range(5):
        for kind, name in ("user", "u"), ("group", "g"), ("role", "r"):
            named = {kind.capitalize() + "Name": name + str(i)}
            more = {"AssumeRolePolicyDocument": ANYONE} if kind == "role" else {}
            getattr(iam, "create_" + kind)(**dict(named, **more))
        iam.create_policy(PolicyName="p%d" % i, PolicyDocument=READ)
        iam.create_instance_profile(InstanceProfileName="i%d" % i)
        iam.add_role_to_instance_profile(InstanceProfileName="i%d" % i, RoleName="r0")
        iam.add_user_to_group(GroupName="g0", UserName="u%d" % i)
        if i > 0:
            iam.add_user_to_group(GroupName="g%d" % i, UserName="u0")
            iam.create_policy_version(PolicyArn=ARN + "policy/p0", PolicyDocument=READ)
    for kind, name in ("user", "u"), ("group", "g"), ("role", "r"):
        for i in range(5):
            named = {kind.capitalize() + "Name": name + "0"}
            getattr(iam, "put_%s_policy" % kind)(PolicyName="in-%d" % i, PolicyDocument=READ, **named)
            getattr(iam, "attach_%s_policy" % kind)(PolicyArn=ARN + "policy/p%d" % i, **named)
            named[kind.capitalize() + "Name"] = name + str(i)
            getattr(iam, "attach_%s_policy" % kind)(PolicyArn=ARN + "policy/p0", **named)
    credentials()
    iam.create_open_id_connect_provider(Url="https://idp.example.com", ThumbprintList=["a" * 40], Tags=TAGS)
    iam.create_saml_provider(Name="idp", SAMLMetadataDocument=metadata(read("cert1.pem")), Tags=TAGS)
    iam.tag_user(Tags=TAGS, **USER)
    iam.tag_role(Tags=TAGS, **ROLE)
    iam.tag_policy(PolicyArn=ARN + "policy/p0", Tags=TAGS)
    iam.tag_instance_profile(InstanceProfileName="i0", Tags=TAGS)
    iam.create_account_alias(AccountAlias="example")


def credentials():
    for i in range(5):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName="m%d" % i, Tags=TAGS)["VirtualMFADevice"]
        seed = device["Base32StringSeed"]
        iam.enable_mfa_device(UserName="u0", SerialNumber=device["SerialNumber"], AuthenticationCode1=code(seed, -1), AuthenticationCode2=code(seed))
    for i in 1, 2:
        iam.create_access_key(**USER)
        iam.upload_signing_certificate(UserName="u0", CertificateBody=read("cert%d.pem" % i))
    for i in 1, 2, 3:
        iam.upload_ssh_public_key(UserName="u0", SSHPublicKeyBody=read("ssh%d.pub" % i))
        iam.upload_server_certificate(ServerCertificateName="c%d" % i, CertificateBody=read("cert%d.pem" % i), PrivateKey=read("key%d.pem" % i), Tags=TAGS)


def paginators():
    model = botocore.session.get_session().get_paginator_model("iam")
    for operation in sorted(model._paginator_config):
        pages(operation, model.get_paginator(operation)["result_key"])


def snake(operation):
    return next(name for name, op in iam.meta.method_to_api_mapping.items() if op == operation)


def pages(operation, keys):
    keys = [keys] if isinstance(keys, str) else keys
    asked = ASKED[operation]
    whole = getattr(iam, snake(operation))(**asked)
    equal((operation, whole["IsTruncated"], "Marker" in whole), (operation, False, False))
    count = sum(len(whole[key]) for key in keys)
    assert count > 1 or operation == "ListAccountAliases", (operation, count)
    paginator = iam.get_paginator(snake(operation))
    for size in 1, 2:
        got = list(paginator.paginate(PaginationConfig={"PageSize": size}, **asked))
        for key in keys:
            # A page may lack the kinds that it has none of.
            equal((operation, key, sum((page.get(key, []) for page in got), [])), (operation, key, whole[key]))
        sizes = [sum(len(page.get(key, [])) for key in keys) for page in got]
        equal((operation, sizes), (operation, [size] * (count // size) + ([count % size] if count % size else [])))
        equal([page["IsTruncated"] for page in got], [True] * (len(got) - 1) + [False])
    # A program may stop, and go on later.
    if len(keys) == 1:
        first = paginator.paginate(PaginationConfig={"MaxItems": 1, "PageSize": 2}, **asked).build_full_result()
        rest = paginator.paginate(PaginationConfig={"StartingToken": first.get("NextToken"), "PageSize": 1}, **asked).build_full_result()
        if count > 1:
            equal((operation, first[keys[0]] + rest[keys[0]]), (operation, whole[keys[0]]))


def filters():
    """Pages of part of a list have all of that part, and nothing else."""
    def listed(operation, key, name, **asked):
        found = iam.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}, **asked)
        return [thing[name] for page in found for thing in page.get(key, [])]

    for i in range(3):
        iam.create_role(RoleName="x%d" % i, Path="/x/", AssumeRolePolicyDocument=ANYONE)
        iam.create_policy(PolicyName="x%d" % i, Path="/x/y/", PolicyDocument=READ)
    iam.put_user_permissions_boundary(UserName="u1", PermissionsBoundary=ARN + "policy/p4")
    equal(listed("list_roles", "Roles", "RoleName", PathPrefix="/x/"), ["x0", "x1", "x2"])
    equal(listed("list_policies", "Policies", "PolicyName", PathPrefix="/x/", Scope="All"), ["x0", "x1", "x2"])
    equal(listed("list_policies", "Policies", "PolicyName", PathPrefix="/x/", OnlyAttached=True), [])
    equal(listed("list_policies", "Policies", "PolicyName", OnlyAttached=True, PolicyUsageFilter="PermissionsBoundary"), ["p4"])
    equal(listed("list_entities_for_policy", "PolicyUsers", "UserName", PolicyArn=ARN + "policy/p4", PolicyUsageFilter="PermissionsBoundary"), ["u1"])
    equal(listed("list_entities_for_policy", "PolicyGroups", "GroupName", PolicyArn=ARN + "policy/p0", EntityFilter="Group"), ["g%d" % i for i in range(5)])
    for kind, key, name, count in ("User", "UserDetailList", "UserName", 5), ("Role", "RoleDetailList", "RoleName", 8), ("LocalManagedPolicy", "Policies", "PolicyName", 8):
        equal(len(listed("get_account_authorization_details", key, name, Filter=[kind])), count)


run(fill, paginators, filters)
