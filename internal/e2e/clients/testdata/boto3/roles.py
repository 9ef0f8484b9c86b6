"""Roles, instance profiles, service-linked roles; waiters and resources."""

import json
import threading

import boto3

from harness import URL, client, equal, refused, run
from model import checked

iam = checked(client())

TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}]}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def roles():
    made = iam.create_role(
        RoleName="Worker", Path="/night/", Description="a + ü", MaxSessionDuration=7200, PermissionsBoundary=READ_ONLY,
        AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "Team", "Value": "ops"}])["Role"]
    equal((made["Arn"], made["AssumeRolePolicyDocument"], made["Tags"]), ("arn:aws:iam::123456789012:role/night/Worker", TRUST, [{"Key": "Team", "Value": "ops"}]))
    got = iam.get_role(RoleName="worker")["Role"]
    equal((got["Description"], got["MaxSessionDuration"], got["RoleLastUsed"], got["RoleId"]), ("a + ü", 7200, {}, made["RoleId"]))
    equal(got["PermissionsBoundary"], {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": READ_ONLY})
    listed = iam.list_roles(PathPrefix="/night/")["Roles"][0]
    equal((listed["RoleName"], listed["AssumeRolePolicyDocument"], "Tags" in listed), ("Worker", TRUST, False))
    iam.update_role(RoleName="Worker", Description="", MaxSessionDuration=3600)
    iam.delete_role_permissions_boundary(RoleName="Worker")
    equal(iam.update_role_description(RoleName="Worker", Description="of the night")["Role"]["Description"], "of the night")
    trust = json.loads(json.dumps(TRUST).replace("ec2", "lambda"))
    iam.update_assume_role_policy(RoleName="Worker", PolicyDocument=json.dumps(trust))
    got = iam.get_role(RoleName="Worker")["Role"]
    equal((got["AssumeRolePolicyDocument"], got["MaxSessionDuration"], "PermissionsBoundary" in got), (trust, 3600, False))
    iam.tag_role(RoleName="Worker", Tags=[{"Key": "team", "Value": "dev"}])
    equal(iam.list_role_tags(RoleName="Worker")["Tags"], [{"Key": "team", "Value": "dev"}])
    iam.untag_role(RoleName="Worker", TagKeys=["TEAM"])
    with refused(iam.exceptions.EntityAlreadyExistsException, "EntityAlreadyExists", 409, "Role with name WORKER already exists."):
        iam.create_role(RoleName="WORKER", AssumeRolePolicyDocument=json.dumps(TRUST))
    with refused(iam.exceptions.MalformedPolicyDocumentException, "MalformedPolicyDocument", 400, "This policy contains invalid Json"):
        iam.create_role(RoleName="other", AssumeRolePolicyDocument="{")
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404, "The role with name nobody cannot be found."):
        iam.get_role(RoleName="nobody")


def policies():
    iam.put_role_policy(RoleName="Worker", PolicyName="p", PolicyDocument=json.dumps(POLICY))
    equal(iam.get_role_policy(RoleName="Worker", PolicyName="p")["PolicyDocument"], POLICY)
    equal(iam.list_role_policies(RoleName="Worker")["PolicyNames"], ["p"])
    iam.attach_role_policy(RoleName="Worker", PolicyArn=READ_ONLY)
    equal([p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName="Worker")["AttachedPolicies"]], [READ_ONLY])
    equal([r["RoleName"] for r in iam.list_entities_for_policy(PolicyArn=READ_ONLY, EntityFilter="Role")["PolicyRoles"]], ["Worker"])


def profiles():
    iam.create_instance_profile(InstanceProfileName="Box", Path="/night/", Tags=[{"Key": "a", "Value": "b"}])
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="worker")
    got = iam.get_instance_profile(InstanceProfileName="Box")["InstanceProfile"]
    equal((got["Arn"], got["Roles"][0]["RoleName"], got["Tags"]), ("arn:aws:iam::123456789012:instance-profile/night/Box", "Worker", [{"Key": "a", "Value": "b"}]))
    equal(got["Roles"][0]["AssumeRolePolicyDocument"]["Version"], "2012-10-17")
    equal([p["InstanceProfileName"] for p in iam.list_instance_profiles_for_role(RoleName="Worker")["InstanceProfiles"]], ["Box"])
    with refused(iam.exceptions.LimitExceededException, "LimitExceeded", 409, "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"):
        iam.add_role_to_instance_profile(InstanceProfileName="Box", RoleName="Worker")
    with refused(iam.exceptions.DeleteConflictException, "DeleteConflict", 409, "Cannot delete entity, must remove roles from instance profile first."):
        iam.delete_instance_profile(InstanceProfileName="Box")


def linked():
    made = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="x")["Role"]
    equal(made["Arn"], "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_x")
    with refused(iam.exceptions.UnmodifiableEntityException, "UnmodifiableEntity", 400):
        iam.attach_role_policy(RoleName=made["RoleName"], PolicyArn=READ_ONLY)
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    equal(iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"], "SUCCEEDED")


def waiters():
    """Every waiter sees what is there, and waits for what comes."""
    quickly = {"Delay": 1, "MaxAttempts": 20}
    iam.get_waiter("role_exists").wait(RoleName="Worker", WaiterConfig=quickly)
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName="Box", WaiterConfig=quickly)
    iam.get_waiter("policy_exists").wait(PolicyArn=READ_ONLY, WaiterConfig=quickly)
    later = threading.Timer(0.5, lambda: client().create_user(UserName="late"))
    later.start()
    iam.get_waiter("user_exists").wait(UserName="late", WaiterConfig=quickly)
    later.join()
    equal(set(iam.waiter_names), {"role_exists", "instance_profile_exists", "policy_exists", "user_exists"})


def resources():
    """The object-oriented door of boto3, which reads and loads by itself."""
    resource = boto3.resource("iam", endpoint_url=URL)
    role = resource.Role("Worker")
    equal((role.arn, role.assume_role_policy_document["Version"]), ("arn:aws:iam::123456789012:role/night/Worker", "2012-10-17"))
    equal([p.name for p in role.policies.all()], ["p"])
    equal([p.arn for p in role.attached_policies.all()], [READ_ONLY])
    equal([p.name for p in role.instance_profiles.all()], ["Box"])
    equal(resource.RolePolicy("Worker", "p").policy_document, POLICY)
    role.AssumeRolePolicy().update(PolicyDocument=json.dumps(TRUST))
    role.reload()
    equal(role.assume_role_policy_document, TRUST)

    policy = resource.create_policy(PolicyName="mine", PolicyDocument=json.dumps(POLICY))
    policy.attach_role(RoleName="Worker")
    equal([r.name for r in policy.attached_roles.all()], ["Worker"])
    version = policy.create_version(PolicyDocument=json.dumps(POLICY).replace("s3:Get*", "s3:Put*"))
    version.set_as_default()
    policy.reload()
    equal((policy.default_version_id, policy.default_version.document["Statement"][0]["Action"], policy.attachment_count), ("v2", ["s3:Put*", "s3:List*"], 1))
    equal([v.version_id for v in policy.versions.all()], ["v2", "v1"])

    group = resource.create_group(GroupName="Night")
    user = resource.create_user(UserName="Bob")
    group.add_user(UserName="Bob")
    equal(([u.name for u in group.users.all()], [g.name for g in user.groups.all()]), (["Bob"], ["Night"]))
    user.attach_policy(PolicyArn=policy.arn)
    user.create_policy(PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    equal(([p.arn for p in user.attached_policies.all()], [p.name for p in user.policies.all()]), ([policy.arn], ["inline"]))
    equal([p.policy_name for p in resource.policies.filter(Scope="Local")], ["mine"])

    user.detach_policy(PolicyArn=policy.arn)
    user.Policy("inline").delete()
    group.remove_user(UserName="Bob")
    user.delete()
    group.delete()
    policy.detach_role(RoleName="Worker")
    resource.PolicyVersion(policy.arn, "v1").delete()
    policy.delete()
    resource.InstanceProfile("Box").remove_role(RoleName="Worker")
    resource.InstanceProfile("Box").delete()
    role.detach_policy(PolicyArn=READ_ONLY)
    role.Policy("p").delete()
    role.delete()
    summary = resource.AccountSummary().summary_map
    equal([summary[k] for k in ("Roles", "Policies", "Groups", "InstanceProfiles", "Users")], [0, 0, 0, 0, 1])


run(roles, policies, profiles, linked, waiters, resources)
