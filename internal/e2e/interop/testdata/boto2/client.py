"""boto 2, the library before boto3. It finds no region in a host name that is
not AWS's, so that the test names service and region itself."""
import os
import urllib.parse

import boto
from boto.iam import IAMConnection

url = urllib.parse.urlparse(os.environ["AWS_ENDPOINT_URL"])


def connect(**credentials):
    connection = IAMConnection(host=url.hostname, port=url.port, is_secure=url.scheme == "https", **credentials)
    connection.auth_service_name = "iam"
    connection.auth_region_name = "us-east-1"
    return connection


root = connect()
root.create_user("Carol", path="/people/")
key = root.create_access_key("Carol")["create_access_key_response"]["create_access_key_result"]["access_key"]
root.put_user_policy(
    "Carol", "self",
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}]}')

carol = connect(aws_access_key_id=key["access_key_id"], aws_secret_access_key=key["secret_access_key"])
user = carol.get_user()["get_user_response"]["get_user_result"]["user"]
assert user["user_name"] == "Carol", user
try:
    carol.create_user("Dave")
except boto.exception.BotoServerError as error:
    assert error.error_code == "AccessDenied", error
else:
    raise AssertionError("CreateUser was not refused")

for _ in range(100):
    try:
        report = root.get_credential_report()
        break
    except boto.exception.BotoServerError as error:
        assert error.error_code in ("ReportNotPresent", "ReportInProgress"), error
        root.generate_credential_report()
content = report["get_credential_report_response"]["get_credential_report_result"]["content"]
import base64
assert b"Carol,arn:aws:iam::" in base64.b64decode(content), content
root.delete_user_policy("Carol", "self")
root.delete_access_key(key["access_key_id"], "Carol")
root.delete_user("Carol")
print("boto", boto.__version__)
