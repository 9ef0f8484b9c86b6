"""Who may do what, and who did: simulation, details, last accessed."""

import datetime
import json
import time

import boto3

from harness import URL, client, equal, refused, run
from model import checked

iam = checked(client())

ARN = "arn:aws:iam::123456789012:"
BOB = ARN + "user/Bob"


def allow(action, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [dict({"Effect": "Allow", "Action": action, "Resource": "*"}, **more)]})


def fill():
    iam.create_user(UserName="Bob", Tags=[{"Key": "Team", "Value": "ops"}])
    iam.create_group(GroupName="Devs")
    iam.add_user_to_group(GroupName="Devs", UserName="Bob")
    iam.put_user_policy(UserName="Bob", PolicyName="inline", PolicyDocument=allow(["iam:GetUser", "s3:*"], Condition={"Bool": {"aws:SecureTransport": "false"}}))
    iam.put_group_policy(GroupName="Devs", PolicyName="group", PolicyDocument=allow("sts:*", Condition={"StringEquals": {"aws:username": "Bob"}}))
    managed = iam.create_policy(PolicyName="managed", PolicyDocument=allow("dynamodb:*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="Bob", PolicyArn=managed)
    trust = allow("sts:AssumeRole", Principal={"AWS": BOB}).replace(', "Resource": "*"', "")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust, Tags=[{"Key": "Team", "Value": "ops"}])
    iam.attach_role_policy(RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.create_instance_profile(InstanceProfileName="box")
    iam.add_role_to_instance_profile(InstanceProfileName="box", RoleName="worker")


def decisions(results):
    return {r["EvalActionName"]: r["EvalDecision"] for r in results}


def custom():
    deny = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::keep/*"}})
    keep, drop = "arn:aws:s3:::keep/a", "arn:aws:s3:::drop/a"
    asked = {"PolicyInputList": [allow("s3:*"), deny], "ActionNames": ["s3:DeleteObject", "s3:GetObject"]}
    for arn, decision, by in (keep, "explicitDeny", "PolicyInputList.2"), (drop, "allowed", "PolicyInputList.1"):
        got = iam.simulate_custom_policy(ResourceArns=[arn], **asked)["EvaluationResults"]
        equal(decisions(got), {"s3:DeleteObject": decision, "s3:GetObject": "allowed"})
        equal((got[0]["EvalResourceName"], by in [m["SourcePolicyId"] for m in got[0]["MatchedStatements"]]), (arn, True))
    got = iam.simulate_custom_policy(ResourceArns=[keep, drop], **asked)["EvaluationResults"]
    equal([{r["EvalResourceName"]: r["EvalResourceDecision"] for r in e["ResourceSpecificResults"]} for e in got],
          [{keep: "explicitDeny", drop: "allowed"}, {keep: "allowed", drop: "allowed"}])
    got = iam.simulate_custom_policy(PermissionsBoundaryPolicyInputList=[allow("s3:Get*")], **asked)["EvaluationResults"]
    equal({r["EvalActionName"]: (r["EvalDecision"], r["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]) for r in got},
          {"s3:DeleteObject": ("implicitDeny", False), "s3:GetObject": ("allowed", True)})
    with refused(iam.exceptions.InvalidInputException, "InvalidInput", 400):
        iam.simulate_custom_policy(PolicyInputList=["{}"], ActionNames=["s3:GetObject"])


def principal():
    """The policies of a user are its own, its groups', and what is handed in."""
    asked = {"PolicySourceArn": BOB, "ActionNames": ["s3:GetObject", "dynamodb:GetItem", "sts:GetFederationToken", "ec2:RunInstances"]}
    got = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    equal(decisions(got), {"s3:GetObject": "implicitDeny", "dynamodb:GetItem": "allowed", "sts:GetFederationToken": "allowed", "ec2:RunInstances": "implicitDeny"})
    equal(got[0]["MissingContextValues"], ["aws:SecureTransport"])
    insecure = [{"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"}]
    got = iam.simulate_principal_policy(ContextEntries=insecure, PolicyInputList=[allow("ec2:*")], **asked)["EvaluationResults"]
    equal(set(decisions(got).values()), {"allowed"})
    equal(set(iam.get_context_keys_for_principal_policy(PolicySourceArn=BOB)["ContextKeyNames"]), {"aws:SecureTransport", "aws:username"})
    equal(iam.get_context_keys_for_custom_policy(PolicyInputList=[allow("s3:*", Condition={"Null": {"s3:prefix": "true"}})])["ContextKeyNames"], ["s3:prefix"])
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404):
        iam.simulate_principal_policy(PolicySourceArn=ARN + "user/nobody", ActionNames=["s3:GetObject"])


def granting():
    got = iam.list_policies_granting_service_access(Arn=BOB, ServiceNamespaces=["s3", "dynamodb", "sts", "ec2"])
    found = {p["ServiceNamespace"]: [(g["PolicyName"], g["PolicyType"], g.get("EntityName"), g.get("EntityType")) for g in p.get("Policies", [])] for p in got["PoliciesGrantingServiceAccess"]}
    equal((found["s3"], found["sts"], found["ec2"]), ([("inline", "INLINE", "Bob", "USER")], [("group", "INLINE", "Devs", "GROUP")], []))
    equal([g[:2] for g in found["dynamodb"]], [("managed", "MANAGED")])


def everything(operation, key, **asked):
    """All of a list that the SDK has no paginator for, one by one."""
    items, marker = [], {}
    while True:
        page = operation(MaxItems=1, **dict(asked, **marker))
        assert len(page[key]) <= 1, page
        items += page[key]
        if not page["IsTruncated"]:
            return items
        marker = {"Marker": page["Marker"]}


def report(arn, **asked):
    job = {"JobId": iam.generate_service_last_accessed_details(Arn=arn, **asked)["JobId"]}
    for _ in range(100):
        got = iam.get_service_last_accessed_details(**job)
        if got["JobStatus"] == "COMPLETED":
            return job, got
        time.sleep(0.1)
    raise AssertionError("the job does not end")


def last_accessed():
    bob = client(key=iam.create_access_key(UserName="Bob")["AccessKey"])
    bob.get_user()
    for _ in range(100):  # until the use is written
        job, got = report(BOB, Granularity="ACTION_LEVEL")
        services = {s["ServiceNamespace"]: s for s in got["ServicesLastAccessed"]}
        if "LastAuthenticated" in services["iam"]:
            break
        time.sleep(0.1)
    equal(set(services), {"dynamodb", "iam", "s3", "sts"})
    iam_use = services["iam"]
    equal((iam_use["LastAuthenticatedEntity"], iam_use["LastAuthenticatedRegion"], iam_use["TotalAuthenticatedEntities"]), (BOB, "us-east-1", 1))
    actions = {a["ActionName"]: a.get("LastAccessedEntity") for a in iam_use["TrackedActionsLastAccessed"]}
    equal((actions["GetUser"], "ListUsers" in actions), (BOB, False))
    equal((services["s3"]["TotalAuthenticatedEntities"], "LastAuthenticated" in services["s3"]), (0, False))
    equal([s["ServiceNamespace"] for s in everything(iam.get_service_last_accessed_details, "ServicesLastAccessed", **job)], [s["ServiceNamespace"] for s in got["ServicesLastAccessed"]])
    job, _ = report(ARN + "group/Devs")
    who = everything(iam.get_service_last_accessed_details_with_entities, "EntityDetailsList", ServiceNamespace="sts", **job)
    equal([(w["EntityInfo"]["Arn"], w["EntityInfo"]["Type"]) for w in who], [(BOB, "USER")])
    job, _ = report(BOB)
    who = iam.get_service_last_accessed_details_with_entities(ServiceNamespace="iam", **job)["EntityDetailsList"]
    equal((who[0]["EntityInfo"]["Arn"], who[0]["LastAuthenticated"]), (BOB, iam_use["LastAuthenticated"]))
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404):
        iam.get_service_last_accessed_details(JobId="0" * 36)


def role_last_used():
    key = iam.create_access_key(UserName="Bob")["AccessKey"]
    made = client("sts", key=key).assume_role(RoleArn=ARN + "role/worker", RoleSessionName="night")["Credentials"]
    equal(iam.get_role(RoleName="worker")["Role"]["RoleLastUsed"], {})
    session = boto3.session.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], "eu-west-1")
    session.client("iam", endpoint_url=URL).get_account_summary()
    for _ in range(100):  # until the use is written
        used = iam.get_role(RoleName="worker")["Role"]["RoleLastUsed"]
        if used:
            break
        time.sleep(0.1)
    equal(used["Region"], "eu-west-1")
    age = datetime.datetime.now(datetime.timezone.utc) - used["LastUsedDate"]
    assert datetime.timedelta(0) <= age < datetime.timedelta(minutes=5), age
    equal(iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"][0]["RoleLastUsed"], used)


def details():
    """All at once is the same as one by one."""
    got = iam.get_account_authorization_details()
    user, group, role = got["UserDetailList"][0], got["GroupDetailList"][0], got["RoleDetailList"][0]
    equal((len(got["UserDetailList"]), len(got["GroupDetailList"]), len(got["RoleDetailList"])), (1, 1, 1))
    for kind, detail in ("User", user), ("Group", group), ("Role", role):
        named = {kind + "Name": detail[kind + "Name"]}
        kind = kind.lower()
        for p in detail["%sPolicyList" % kind.capitalize()] if kind != "group" else detail["GroupPolicyList"]:
            equal(p["PolicyDocument"], getattr(iam, "get_%s_policy" % kind)(PolicyName=p["PolicyName"], **named)["PolicyDocument"])
        equal(detail["AttachedManagedPolicies"], getattr(iam, "list_attached_%s_policies" % kind)(**named)["AttachedPolicies"])
        alone = getattr(iam, "get_" + kind)(**named)[kind.capitalize()]
        for name in set(alone) & set(detail):
            equal((kind, name, detail[name]), (kind, name, alone[name]))
    equal((user["GroupList"], user["Tags"], role["Tags"]), (["Devs"], [{"Key": "Team", "Value": "ops"}], [{"Key": "Team", "Value": "ops"}]))
    equal(role["InstanceProfileList"][0]["InstanceProfileName"], "box")
    policies = {p["PolicyName"]: p for p in got["Policies"]}
    equal(set(policies), {"managed", "ReadOnlyAccess"})
    versions = policies["managed"]["PolicyVersionList"]
    equal((versions[0]["VersionId"], versions[0]["IsDefaultVersion"], versions[0]["Document"]["Statement"][0]["Action"]), ("v1", True, "dynamodb:*"))


run(fill, custom, principal, granting, last_accessed, role_last_used, details)
