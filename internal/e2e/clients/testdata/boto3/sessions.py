"""Sessions of every kind: their identity, their permissions and their renewal."""

import datetime
import json
import os

import boto3
import botocore.session
from botocore.credentials import AssumeRoleCredentialFetcher, AssumeRoleProvider, Credentials, DeferredRefreshableCredentials

from harness import URL, ClientError, client, code, equal, refused, run
from model import checked

iam, sts = checked(client()), checked(client("sts"))

BOB, WORKER = "arn:aws:iam::123456789012:user/Bob", "arn:aws:iam::123456789012:role/worker"
NIGHT = "arn:aws:sts::123456789012:assumed-role/worker/night"
key, device = {}, {}


def document(principal=None, effect="Allow", action="*", **more):
    statement = dict({"Effect": effect, "Action": action}, **more)
    statement.update({"Principal": principal} if principal else {"Resource": "*"})
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def session(credentials, service="sts"):
    """A client of temporary credentials, as programs make it."""
    made = boto3.session.Session(credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], "us-east-1")
    return checked(made.client(service, endpoint_url=URL))


def who(c):
    got = c.get_caller_identity()
    return got["Arn"], got["UserId"], got["Account"]


def identities():
    user = iam.create_user(UserName="Bob")["User"]
    key.update(iam.create_access_key(UserName="Bob")["AccessKey"])
    iam.put_user_policy(UserName="Bob", PolicyName="p", PolicyDocument=document(action=["sts:*", "iam:GetUser"]))
    trust = document({"AWS": BOB}, action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=trust)["Role"]
    iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document(action=["iam:*", "sts:*"]))
    bob = client("sts", key=key)
    equal(who(sts), ("arn:aws:iam::123456789012:root", "123456789012", "123456789012"))
    equal(who(bob), (BOB, user["UserId"], "123456789012"))
    made = bob.assume_role(RoleArn=WORKER, RoleSessionName="night")
    equal(made["AssumedRoleUser"], {"Arn": NIGHT, "AssumedRoleId": role["RoleId"] + ":night"})
    equal(who(session(made["Credentials"])), (NIGHT, role["RoleId"] + ":night", "123456789012"))
    equal(who(session(bob.get_session_token()["Credentials"])), (BOB, user["UserId"], "123456789012"))
    made = bob.get_federation_token(Name="guest", Policy=document(), DurationSeconds=900)
    guest = "arn:aws:sts::123456789012:federated-user/guest"
    equal(made["FederatedUser"], {"Arn": guest, "FederatedUserId": "123456789012:guest"})
    equal(who(session(made["Credentials"])), (guest, "123456789012:guest", "123456789012"))
    # The first account of a key is in the key itself.
    equal(sts.get_access_key_info(AccessKeyId=made["Credentials"]["AccessKeyId"])["Account"], "123456789012")


def refusals():
    bob = client("sts", key=key)
    with refused(ClientError, "AccessDenied", 403, "Roles may not be assumed by root accounts."):
        sts.assume_role(RoleArn=WORKER, RoleSessionName="night")
    other = "arn:aws:iam::123456789012:role/nobody"
    with refused(ClientError, "AccessDenied", 403, "User: %s is not authorized to perform: sts:AssumeRole on resource: %s" % (BOB, other)):
        bob.assume_role(RoleArn=other, RoleSessionName="night")
    with refused(ClientError, "ValidationError", 400, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."):
        bob.assume_role(RoleArn=WORKER, RoleSessionName="night", DurationSeconds=7200)
    with refused(bob.exceptions.MalformedPolicyDocumentException, "MalformedPolicyDocument", 400):
        bob.assume_role(RoleArn=WORKER, RoleSessionName="night", Policy="{}")
    with refused(bob.exceptions.PackedPolicyTooLargeException, "PackedPolicyTooLarge", 400):
        tags = [{"Key": "key-%d" % i, "Value": os.urandom(128).hex()} for i in range(50)]
        bob.assume_role(RoleArn=WORKER, RoleSessionName="night", Tags=tags)
    plain = bob.get_session_token()["Credentials"]
    with refused(ClientError, "InvalidClientTokenId", 403):
        session(plain, "iam").get_user()
    with refused(ClientError, "AccessDenied", 403, "Cannot call GetSessionToken with session credentials"):
        session(plain).get_session_token()
    for broken in {"SessionToken": plain["SessionToken"][:-8] + "AAAAAAA="}, {"AccessKeyId": "ASIA" + plain["AccessKeyId"][4:][::-1]}:
        with refused(ClientError, "InvalidClientTokenId", 403, "The security token included in the request is invalid"):
            session(dict(plain, **broken)).get_caller_identity()


def narrowed():
    """A session may do what both its role and its own policy allow."""
    bob = client("sts", key=key)
    made = bob.assume_role(
        RoleArn=WORKER, RoleSessionName="night", DurationSeconds=900, Policy=document(action="iam:GetUser"),
        Tags=[{"Key": "Project", "Value": "x"}], TransitiveTagKeys=["Project"], SourceIdentity="Bob")
    assert 0 < made["PackedPolicySize"] <= 100, made
    equal(made["SourceIdentity"], "Bob")
    left = made["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=13) < left <= datetime.timedelta(minutes=15), left
    worker = session(made["Credentials"], "iam")
    equal(worker.get_user(UserName="Bob")["User"]["Arn"], BOB)
    with refused(ClientError, "AccessDenied", 403, "User: %s is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::123456789012:user/ because no session policy allows the iam:ListUsers action" % NIGHT):
        worker.list_users()
    with refused(ClientError, "ValidationError", 400, "Must specify userName when calling with non-User credentials"):
        worker.get_user()


def decoded():
    worker = session(client("sts", key=key).assume_role(RoleArn=WORKER, RoleSessionName="night", Policy=document(action="iam:GetUser"))["Credentials"], "iam")
    try:
        worker.list_users()
        raise AssertionError("not denied")
    except ClientError as e:
        message = e.response["ResponseMetadata"]["HTTPHeaders"]["x-rollcall-authorization-message"]
    told = json.loads(sts.decode_authorization_message(EncodedMessage=message)["DecodedMessage"])
    equal((told["allowed"], told["explicitDeny"], told["context"]["principal"]["arn"], told["context"]["action"]), (False, False, NIGHT, "iam:ListUsers"))
    with refused(sts.exceptions.InvalidAuthorizationMessageException, "InvalidAuthorizationMessageException", 400):
        sts.decode_authorization_message(EncodedMessage="nonsense")


def mfa():
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    device.update(made)
    serial, seed = made["SerialNumber"], made["Base32StringSeed"]
    iam.enable_mfa_device(UserName="Bob", SerialNumber=serial, AuthenticationCode1=code(seed, -2), AuthenticationCode2=code(seed, -1))
    bob = client("sts", key=key)
    with refused(ClientError, "AccessDenied", 403, "MultiFactorAuthentication failed with invalid MFA one time pass code."):
        bob.get_session_token(SerialNumber=serial, TokenCode=code(seed, -30))
    got = bob.get_session_token(SerialNumber=serial, TokenCode=code(seed), DurationSeconds=3600)
    # With MFA proven the session may call IAM, as the user.
    equal(session(got["Credentials"], "iam").get_user()["User"]["UserName"], "Bob")
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=document({"AWS": BOB}, action="sts:AssumeRole", Condition={
        "StringEquals": {"sts:ExternalId": "123ABC"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    with refused(ClientError, "AccessDenied", 403):
        bob.assume_role(RoleArn=WORKER, RoleSessionName="night", ExternalId="123ABC")
    with refused(ClientError, "AccessDenied", 403):
        session(got["Credentials"]).assume_role(RoleArn=WORKER, RoleSessionName="night", ExternalId="other")
    session(got["Credentials"]).assume_role(RoleArn=WORKER, RoleSessionName="night", ExternalId="123ABC")


def create_client(*args, **kwargs):
    """What botocore's providers of credentials ask STS with."""
    return botocore.session.Session().create_client(*args, **dict({"endpoint_url": URL, "region_name": "us-east-1"}, **kwargs))


def profile():
    """The role of a profile, whose MFA code is asked for once."""
    seed = device["Base32StringSeed"]
    iam.resync_mfa_device(UserName="Bob", SerialNumber=device["SerialNumber"], AuthenticationCode1=code(seed, 1), AuthenticationCode2=code(seed, 2))
    config = {"profiles": {
        "bob": {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]},
        "worker": {"role_arn": WORKER, "source_profile": "bob", "external_id": "123ABC", "mfa_serial": device["SerialNumber"], "role_session_name": "night"},
    }}
    asked, cache = [], {}

    def prompt(text):
        asked.append(text)
        return code(seed, 3)

    for _ in range(2):
        provider = AssumeRoleProvider(lambda: config, create_client, cache, "worker", prompt)
        c = botocore.session.Session()
        c._credentials = provider.load()
        equal(c.create_client("sts", endpoint_url=URL, region_name="us-east-1").get_caller_identity()["Arn"], NIGHT)
    equal(asked, ["Enter MFA code for %s: " % device["SerialNumber"]])


def renewal():
    """A client whose session is about to end gets another one by itself."""
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=document({"AWS": BOB}, action="sts:AssumeRole"))
    fetcher = AssumeRoleCredentialFetcher(create_client, Credentials(key["AccessKeyId"], key["SecretAccessKey"]), WORKER, {"RoleSessionName": "night"}, expiry_window_seconds=3600)
    now = [datetime.datetime.now(datetime.timezone.utc)]
    c = botocore.session.Session()
    c._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role", lambda: now[0])
    worker = c.create_client("sts", endpoint_url=URL, region_name="us-east-1")
    ids = []
    for minutes in 0, 30, 20:
        now[0] += datetime.timedelta(minutes=minutes)
        equal(worker.get_caller_identity()["Arn"], NIGHT)
        ids.append(c.get_credentials().access_key)
    equal((ids[0] == ids[1], ids[1] == ids[2]), (True, False))


def revoked():
    """With the role its sessions end; with a key, what it was good for."""
    bob = client("sts", key=key)
    worker = session(bob.assume_role(RoleArn=WORKER, RoleSessionName="night")["Credentials"])
    worker.get_caller_identity()
    iam.delete_role_policy(RoleName="worker", PolicyName="p")
    iam.delete_role(RoleName="worker")
    with refused(ClientError, "InvalidClientTokenId", 403):
        worker.get_caller_identity()
    iam.update_access_key(UserName="Bob", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with refused(ClientError, "InvalidClientTokenId", 403):
        bob.get_session_token()


run(identities, refusals, narrowed, decoded, mfa, profile, renewal, revoked)
