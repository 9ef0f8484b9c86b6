"""The management account of an organisation, and its members' root users."""

import json

import boto3

from harness import URL, ClientError, client, equal, refused, run
from model import checked

iam = checked(client())

MEMBER = "222222222222"
AUDIT = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}


def features():
    got = iam.list_organizations_features()
    equal(got["EnabledFeatures"], [])
    iam.enable_organizations_root_credentials_management()
    both = iam.enable_organizations_root_sessions()
    equal((both["OrganizationId"], sorted(both["EnabledFeatures"])), (got["OrganizationId"], ["RootCredentialsManagement", "RootSessions"]))
    equal(iam.disable_organizations_root_sessions()["EnabledFeatures"], ["RootCredentialsManagement"])


def root_sessions():
    iam.create_user(UserName="Bob")
    bob = checked(client("sts", key=iam.create_access_key(UserName="Bob")["AccessKey"]))
    denied = "User: arn:aws:iam::123456789012:user/Bob is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::222222222222:root"
    with refused(ClientError, "AccessDenied", 403, denied):
        bob.assume_root(TargetPrincipal=MEMBER, TaskPolicyArn=AUDIT)
    iam.put_user_policy(UserName="Bob", PolicyName="p", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoot", "Resource": "*"}]}))
    made = bob.assume_root(TargetPrincipal=MEMBER, TaskPolicyArn=AUDIT, DurationSeconds=900)["Credentials"]
    session = boto3.session.Session(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"], "us-east-1")
    equal(session.client("sts", endpoint_url=URL).get_caller_identity()["Arn"], "arn:aws:iam::222222222222:root")
    root = checked(session.client("iam", endpoint_url=URL))
    equal(len(root.list_access_keys()["AccessKeyMetadata"]), 1)
    equal(root.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"], 1)
    with refused(ClientError, "AccessDenied", 403):
        root.list_users()
    with refused(ClientError, "AccessDenied", 403):
        bob.assume_root(TargetPrincipal="333333333333", TaskPolicyArn=AUDIT)


def accounts():
    organizations = client("organizations")
    got = organizations.describe_organization()["Organization"]
    equal((got["MasterAccountId"], got["FeatureSet"]), ("123456789012", "ALL"))
    pages = organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 1})
    equal([(a["Id"], a["Status"]) for page in pages for a in page["Accounts"]], [("123456789012", "ACTIVE"), (MEMBER, "ACTIVE")])
    one = organizations.describe_account(AccountId=MEMBER)["Account"]
    equal((one["Name"], one["JoinedMethod"]), (MEMBER, "INVITED"))
    assert one["JoinedTimestamp"].tzinfo
    equal(organizations.list_delegated_administrators()["DelegatedAdministrators"], [])
    with refused(ClientError, "AccountNotFoundException", 400):
        organizations.describe_account(AccountId="999999999999")


def older():
    """This release of the SDK knows none of it, and so cannot call it."""
    equal([name for name in iam.meta.service_model.operation_names if "Organizations" in name and "Report" not in name], [])


run(accounts, *([features, root_sessions] if hasattr(iam, "list_organizations_features") else [older]))
