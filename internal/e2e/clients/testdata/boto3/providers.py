"""Identity providers, who comes by them, and server certificates."""

import datetime
import json
import os

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import AssumeRoleWithWebIdentityProvider

from files import DIR, metadata, read
from harness import URL, ClientError, client, equal, refused, run
from model import checked

iam = checked(client())

ARN = "arn:aws:iam::123456789012:"
ISSUER = ARN + "oidc-provider/idp.example.com/realm"
TAG = [{"Key": "Team", "Value": "ops"}]


def oidc():
    made = iam.create_open_id_connect_provider(
        Url="https://idp.example.com/realm", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40], Tags=TAG)
    equal((made["OpenIDConnectProviderArn"], made["Tags"]), (ISSUER, TAG))
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER, ClientID="app & more")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=ISSUER, ThumbprintList=["b" * 40, "c" * 40])
    got = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER)
    equal((got["Url"], sorted(got["ClientIDList"]), got["ThumbprintList"], got["Tags"]), ("idp.example.com/realm", ["app & more", "sts.amazonaws.com"], ["b" * 40, "c" * 40], TAG))
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER, ClientID="app & more")
    equal(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER)["ClientIDList"], ["sts.amazonaws.com"])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER, Tags=[{"Key": "b", "Value": ""}])
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER, TagKeys=["Team"])
    equal(iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=ISSUER)["Tags"], [{"Key": "b", "Value": ""}])
    equal(iam.list_open_id_connect_providers()["OpenIDConnectProviderList"], [{"Arn": ISSUER}])
    with refused(iam.exceptions.EntityAlreadyExistsException, "EntityAlreadyExists", 409):
        iam.create_open_id_connect_provider(Url="https://idp.example.com/realm", ThumbprintList=["a" * 40])
    with refused(ClientError, "ValidationError", 400, "Invalid Open ID Connect Provider URL"):
        iam.create_open_id_connect_provider(Url="idp.example.com", ThumbprintList=["a" * 40])


def web_identity():
    """Who shows a token needs no key."""
    trust = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Federated": ISSUER}, "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {"idp.example.com/realm:sub": "repo:example/app"}}}]}
    role = iam.create_role(RoleName="build", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    token = read("token.jwt")
    sts = checked(boto3.session.Session().client("sts", endpoint_url=URL, region_name="us-east-1", config=Config(signature_version=UNSIGNED)))
    got = sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="run-1", WebIdentityToken=token)
    equal((got["Provider"], got["Audience"], got["SubjectFromWebIdentityToken"]), (ISSUER, "sts.amazonaws.com", "repo:example/app"))
    equal(got["AssumedRoleUser"]["Arn"], "arn:aws:sts::123456789012:assumed-role/build/run-1")
    head, claims, signature = token.split(".")
    for bad in "nonsense", head + "." + claims + "." + signature[::-1]:
        with refused(sts.exceptions.InvalidIdentityTokenException, "InvalidIdentityToken", 400):
            sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="run-1", WebIdentityToken=bad)
    iam.update_assume_role_policy(RoleName="build", PolicyDocument=json.dumps(trust).replace("example/app", "other/app"))
    with refused(ClientError, "AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="run-1", WebIdentityToken=token)
    iam.update_assume_role_policy(RoleName="build", PolicyDocument=json.dumps(trust))

    # The provider of credentials that reads a token's file, as in a cluster.
    def create_client(*args, **kwargs):
        return botocore.session.Session().create_client(*args, **dict({"endpoint_url": URL, "region_name": "us-east-1"}, **kwargs))

    config = {"profiles": {"build": {"role_arn": role, "web_identity_token_file": os.path.join(DIR, "token.jwt"), "role_session_name": "run-2"}}}
    session = botocore.session.Session()
    session._credentials = AssumeRoleWithWebIdentityProvider(lambda: config, create_client, "build", {}, disable_env_vars=True).load()
    arn = session.create_client("sts", endpoint_url=URL, region_name="us-east-1").get_caller_identity()["Arn"]
    equal(arn, "arn:aws:sts::123456789012:assumed-role/build/run-2")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER)
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404):
        iam.get_open_id_connect_provider(OpenIDConnectProviderArn=ISSUER)


def saml():
    first, second = metadata(read("cert1.pem")), metadata(read("cert2.pem"))
    arn = iam.create_saml_provider(Name="idp", SAMLMetadataDocument=first, Tags=TAG)["SAMLProviderArn"]
    equal(arn, ARN + "saml-provider/idp")
    got = iam.get_saml_provider(SAMLProviderArn=arn)
    equal((got["SAMLMetadataDocument"], got["Tags"]), (first, TAG))
    assert got["ValidUntil"] > got["CreateDate"] > datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1), got
    iam.update_saml_provider(SAMLProviderArn=arn, SAMLMetadataDocument=second)
    equal(iam.get_saml_provider(SAMLProviderArn=arn)["SAMLMetadataDocument"], second)
    iam.tag_saml_provider(SAMLProviderArn=arn, Tags=[{"Key": "b", "Value": ""}])
    iam.untag_saml_provider(SAMLProviderArn=arn, TagKeys=["Team"])
    equal(iam.list_saml_provider_tags(SAMLProviderArn=arn)["Tags"], [{"Key": "b", "Value": ""}])
    equal([p["Arn"] for p in iam.list_saml_providers()["SAMLProviderList"]], [arn])
    with refused(iam.exceptions.InvalidInputException, "InvalidInput", 400):
        iam.create_saml_provider(Name="other", SAMLMetadataDocument="x" * 1000)
    iam.delete_saml_provider(SAMLProviderArn=arn)
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404, "Manifest not found for arn %s" % arn):
        iam.delete_saml_provider(SAMLProviderArn=arn)


def server_certificates():
    body, key = read("cert1.pem"), read("key1.pem")
    made = iam.upload_server_certificate(ServerCertificateName="www", Path="/cloudfront/", CertificateBody=body, PrivateKey=key, Tags=TAG)
    arn = ARN + "server-certificate/cloudfront/www"
    equal((made["ServerCertificateMetadata"]["Arn"], made["Tags"]), (arn, TAG))
    got = iam.get_server_certificate(ServerCertificateName="www")["ServerCertificate"]
    equal((got["ServerCertificateMetadata"], got["CertificateBody"].strip(), got["Tags"]), (made["ServerCertificateMetadata"], body.strip(), TAG))
    iam.update_server_certificate(ServerCertificateName="www", NewServerCertificateName="web", NewPath="/")
    equal([c["Arn"] for c in iam.list_server_certificates()["ServerCertificateMetadataList"]], [ARN + "server-certificate/web"])
    iam.tag_server_certificate(ServerCertificateName="web", Tags=[{"Key": "b", "Value": ""}])
    iam.untag_server_certificate(ServerCertificateName="web", TagKeys=["Team"])
    equal(iam.list_server_certificate_tags(ServerCertificateName="web")["Tags"], [{"Key": "b", "Value": ""}])
    with refused(iam.exceptions.EntityAlreadyExistsException, "EntityAlreadyExists", 409, "The Server Certificate with name WEB already exists."):
        iam.upload_server_certificate(ServerCertificateName="WEB", CertificateBody=body, PrivateKey=key)
    with refused(iam.exceptions.KeyPairMismatchException, "KeyPairMismatch", 400):
        iam.upload_server_certificate(ServerCertificateName="other", CertificateBody=body, PrivateKey=read("key2.pem"))
    with refused(iam.exceptions.MalformedCertificateException, "MalformedCertificate", 400):
        iam.upload_server_certificate(ServerCertificateName="other", CertificateBody="nonsense", PrivateKey=key)
    with refused(iam.exceptions.MalformedCertificateException, "MalformedCertificate", 400, "Unable to validate certificate chain."):
        iam.upload_server_certificate(ServerCertificateName="other", CertificateBody=body, PrivateKey=key, CertificateChain=read("cert2.pem"))
    iam.delete_server_certificate(ServerCertificateName="web")
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404, "The Server Certificate with name web cannot be found."):
        iam.get_server_certificate(ServerCertificateName="web")


run(oidc, web_identity, saml, server_certificates)
