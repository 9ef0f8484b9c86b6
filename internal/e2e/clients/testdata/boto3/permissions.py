"""Groups, policies of every kind, and what they let their users do."""

import json

from harness import ClientError, client, equal, refused, run
from model import checked

iam = checked(client())

ACCOUNT = "123456789012"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, resource="*", **more):
    return dict({"Effect": "Allow", "Action": action, "Resource": resource}, **more)


# With everything in it that an encoding may lose.
AWKWARD = document(allow("s3:Get*", "arn:aws:s3:::bucket/${aws:username}/a+b %2F%20&=<>'\"\\~!()*,;", Sid="s1"))


def groups():
    made = iam.create_group(GroupName="Admins", Path="/staff/")["Group"]
    equal(made["Arn"], "arn:aws:iam::%s:group/staff/Admins" % ACCOUNT)
    for name in "Bob", "alice":
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="admins", UserName=name)
    got = iam.get_group(GroupName="ADMINS")
    equal(got["Group"], made)
    equal([u["UserName"] for u in got["Users"]], ["alice", "Bob"])
    equal([g["GroupName"] for g in iam.list_groups_for_user(UserName="bob")["Groups"]], ["Admins"])
    with refused(iam.exceptions.EntityAlreadyExistsException, "EntityAlreadyExists", 409, "Group with name admins already exists."):
        iam.create_group(GroupName="admins")
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404, "The group with name nobody cannot be found."):
        iam.get_group(GroupName="nobody")
    with refused(iam.exceptions.DeleteConflictException, "DeleteConflict", 409):
        iam.delete_group(GroupName="Admins")
    iam.remove_user_from_group(GroupName="Admins", UserName="alice")
    iam.update_group(GroupName="Admins", NewGroupName="Readers", NewPath="/")
    equal([g["Arn"] for g in iam.list_groups()["Groups"]], ["arn:aws:iam::%s:group/Readers" % ACCOUNT])


def inline():
    """boto3 decodes documents by itself; they must be what was given."""
    text = json.dumps(AWKWARD)
    for kind, name in ("user", "Bob"), ("group", "Readers"):
        named = {kind.capitalize() + "Name": name, "PolicyName": "P+1"}
        getattr(iam, "put_%s_policy" % kind)(PolicyDocument=text, **named)
        got = getattr(iam, "get_%s_policy" % kind)(**named)
        equal((got["PolicyName"], got["PolicyDocument"]), ("P+1", AWKWARD))
        named.pop("PolicyName")
        equal(getattr(iam, "list_%s_policies" % kind)(**named)["PolicyNames"], ["P+1"])
        getattr(iam, "delete_%s_policy" % kind)(PolicyName="P+1", **named)
        with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404):
            getattr(iam, "get_%s_policy" % kind)(PolicyName="P+1", **named)
    for bad in '{"Version": "2012-10-17"', '{"Version": "2012-10-17", "Statement": {"Effect": "Allow"}}':
        with refused(iam.exceptions.MalformedPolicyDocumentException, "MalformedPolicyDocument", 400):
            iam.put_user_policy(UserName="Bob", PolicyName="p", PolicyDocument=bad)


def versions():
    made = iam.create_policy(PolicyName="p", Path="/x/", Description="a + ü", PolicyDocument=json.dumps(AWKWARD), Tags=[{"Key": "k", "Value": "v"}])["Policy"]
    arn = made["Arn"]
    equal(arn, "arn:aws:iam::%s:policy/x/p" % ACCOUNT)
    equal(iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"], AWKWARD)
    for i in range(2, 6):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document(allow("s3:Get%d" % i))), SetAsDefault=i == 5)
    with refused(iam.exceptions.LimitExceededException, "LimitExceeded", 409):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(AWKWARD))
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    equal([(v["VersionId"], v["IsDefaultVersion"]) for v in listed], [("v5", True), ("v4", False), ("v3", False), ("v2", False), ("v1", False)])
    equal(iam.get_policy_version(PolicyArn=arn, VersionId="v4")["PolicyVersion"]["Document"]["Statement"][0]["Action"], "s3:Get4")
    with refused(iam.exceptions.DeleteConflictException, "DeleteConflict", 409, "Cannot delete the default version of a policy."):
        iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    for i in 1, 3, 4, 5:
        iam.delete_policy_version(PolicyArn=arn, VersionId="v%d" % i)
    # The number of a version never comes again.
    equal(iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(AWKWARD))["PolicyVersion"]["VersionId"], "v6")
    got = iam.get_policy(PolicyArn=arn)["Policy"]
    equal((got["DefaultVersionId"], got["Description"], got["AttachmentCount"], got["Tags"]), ("v2", "a + ü", 0, [{"Key": "k", "Value": "v"}]))
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "K", "Value": ""}])
    iam.untag_policy(PolicyArn=arn, TagKeys=["k"])
    equal(iam.list_policy_tags(PolicyArn=arn)["Tags"], [{"Key": "K", "Value": ""}])


def managed():
    """AWS's own policies can be read and attached, and not changed."""
    policy = iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")["Policy"]
    found = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    equal(found["Document"]["Statement"], [{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 1000})
    names = [p["PolicyName"] for page in pages for p in page["Policies"]]
    assert len(names) > 1000 and len(set(names)) == len(names), len(names)
    iam.attach_user_policy(UserName="Bob", PolicyArn=READ_ONLY)
    iam.attach_group_policy(GroupName="Readers", PolicyArn=READ_ONLY)
    equal(iam.list_attached_user_policies(UserName="Bob")["AttachedPolicies"], [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}])
    used = iam.list_entities_for_policy(PolicyArn=READ_ONLY)
    equal(([u["UserName"] for u in used["PolicyUsers"]], [g["GroupName"] for g in used["PolicyGroups"]], used["PolicyRoles"]), (["Bob"], ["Readers"], []))
    equal(iam.get_policy(PolicyArn=READ_ONLY)["Policy"]["AttachmentCount"], 2)
    with refused(ClientError, "AccessDenied", 403, "Cannot delete policies outside your own account."):
        iam.delete_policy(PolicyArn=READ_ONLY)
    for arn, exception, code, status in (
        ("arn:aws:iam::aws:policy/Nothing", iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404),
        ("this-is-not-an-arn-at-all", ClientError, "ValidationError", 400),
    ):
        with refused(exception, code, status):
            iam.attach_user_policy(UserName="Bob", PolicyArn=arn)
    iam.detach_user_policy(UserName="Bob", PolicyArn=READ_ONLY)
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404, "Policy %s was not found." % READ_ONLY):
        iam.detach_user_policy(UserName="Bob", PolicyArn=READ_ONLY)
    iam.detach_group_policy(GroupName="Readers", PolicyArn=READ_ONLY)


def denials():
    bob = client(key=iam.create_access_key(UserName="Bob")["AccessKey"])
    sentence = "User: arn:aws:iam::%s:user/Bob is not authorized to perform: iam:GetUser on resource: user alice" % ACCOUNT

    def denied(how):
        with refused(ClientError, "AccessDenied", 403, "operation: " + sentence + how):
            bob.get_user(UserName="alice")

    denied(" because no identity-based policy allows the iam:GetUser action")
    iam.put_group_policy(GroupName="Readers", PolicyName="p", PolicyDocument=json.dumps(document(allow("iam:Get*", "arn:aws:iam::%s:user/*" % ACCOUNT))))
    equal(bob.get_user(UserName="alice")["User"]["UserName"], "alice")
    # A boundary grants nothing, and denies everything that it does not allow.
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document(allow("iam:List*"))))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName="Bob", PermissionsBoundary=boundary)
    equal(iam.get_user(UserName="Bob")["User"]["PermissionsBoundary"], {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary})
    equal(iam.get_policy(PolicyArn=boundary)["Policy"]["PermissionsBoundaryUsageCount"], 1)
    denied(" because no permissions boundary allows the iam:GetUser action")
    with refused(iam.exceptions.DeleteConflictException, "DeleteConflict", 409):
        iam.delete_policy(PolicyArn=boundary)
    iam.delete_user_permissions_boundary(UserName="Bob")
    bob.get_user(UserName="alice")
    deny = document(dict(allow("iam:*"), Effect="Deny", Condition={"StringEquals": {"aws:ResourceTag/secret": "yes"}}), allow("iam:TagUser"))
    iam.put_user_policy(UserName="Bob", PolicyName="d", PolicyDocument=json.dumps(deny))
    bob.tag_user(UserName="alice", Tags=[{"Key": "secret", "Value": "yes"}])
    denied(" with an explicit deny in an identity-based policy")
    # The version that is the default decides, at once.
    arn = "arn:aws:iam::%s:policy/x/p" % ACCOUNT
    iam.attach_user_policy(UserName="Bob", PolicyArn=arn)
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document(allow("iam:ListGroups"))))["PolicyVersion"]["VersionId"]
    with refused(ClientError, "AccessDenied", 403):
        bob.list_groups()
    iam.set_default_policy_version(PolicyArn=arn, VersionId=version)
    equal([g["GroupName"] for g in bob.list_groups()["Groups"]], ["Readers"])


run(groups, inline, versions, managed, denials)
