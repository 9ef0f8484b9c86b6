"""Users: the documented calls, paginators, waiters and exceptions."""

import datetime

import boto3

from harness import ClientError, URL, client, equal, refused, run

iam = client()


def create():
    out = iam.create_user(UserName="Bob", Path="/sales/", Tags=[{"Key": "Team", "Value": "a+b = c@d"}])
    user = out["User"]
    equal(user["Arn"], "arn:aws:iam::123456789012:user/sales/Bob")
    equal(user["Tags"], [{"Key": "Team", "Value": "a+b = c@d"}])
    assert isinstance(user["CreateDate"], datetime.datetime) and user["CreateDate"].tzinfo, user["CreateDate"]
    equal(out["ResponseMetadata"]["HTTPStatusCode"], 200)
    equal(out["ResponseMetadata"]["RequestId"], out["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"])
    equal(iam.get_user(UserName="bob")["User"]["UserName"], "Bob")


def exceptions():
    with refused(iam.exceptions.EntityAlreadyExistsException, "EntityAlreadyExists", 409, "User with name BOB already exists."):
        iam.create_user(UserName="BOB")
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404, "The user with name nobody cannot be found."):
        iam.get_user(UserName="nobody")
    with refused(ClientError, "ValidationError", 400):
        iam.create_user(UserName="not possible")
    with refused(iam.exceptions.InvalidInputException, "InvalidInput", 400):
        iam.tag_user(UserName="Bob", Tags=[{"Key": "aws:x", "Value": "y"}])
    with refused(ClientError, "InvalidAction", 400):
        iam.generate_organizations_access_report(EntityPath="o-a1b2c3d4e5/r-f6g7h8i9j0example")


def pages():
    names = ["user-%02d" % i for i in range(25)]
    for name in names:
        iam.create_user(UserName=name, Path="/pages/")
    paginator = iam.get_paginator("list_users")
    got = [[u["UserName"] for u in page["Users"]] for page in paginator.paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 10})]
    equal([len(page) for page in got], [10, 10, 5])
    equal(sum(got, []), names)
    # A program may stop, and go on later.
    first = paginator.paginate(PathPrefix="/pages/", PaginationConfig={"MaxItems": 7, "PageSize": 3}).build_full_result()
    equal(len(first["Users"]), 7)
    rest = paginator.paginate(PathPrefix="/pages/", PaginationConfig={"StartingToken": first["NextToken"]}).build_full_result()
    equal([u["UserName"] for u in first["Users"] + rest["Users"]], names)
    assert "NextToken" not in rest
    with refused(ClientError, "ValidationError", 400):
        iam.list_users(Marker="forged")
    equal(iam.list_users(PathPrefix="/nowhere/")["Users"], [])


def waiters():
    iam.get_waiter("user_exists").wait(UserName="Bob", WaiterConfig={"Delay": 1, "MaxAttempts": 2})


def tags():
    iam.tag_user(UserName="Bob", Tags=[{"Key": "team", "Value": "Zürich"}, {"Key": "empty", "Value": ""}])
    equal(iam.list_user_tags(UserName="Bob")["Tags"], [{"Key": "empty", "Value": ""}, {"Key": "team", "Value": "Zürich"}])
    iam.untag_user(UserName="Bob", TagKeys=["TEAM"])
    equal(iam.list_user_tags(UserName="Bob")["IsTruncated"], False)
    equal(iam.list_user_tags(UserName="Bob")["Tags"], [{"Key": "empty", "Value": ""}])


def resources():
    """The object-oriented door of boto3, which reads and loads by itself."""
    resource = boto3.resource("iam", endpoint_url=URL)
    equal(sorted(u.name for u in resource.users.filter(PathPrefix="/sales/")), ["Bob"])
    user = resource.User("Bob")
    equal(user.path, "/sales/")
    pair = user.create_access_key_pair()
    equal([k.id for k in user.access_keys.all()], [pair.id])
    pair.delete()
    equal(resource.CurrentUser().arn, "arn:aws:iam::123456789012:root")


def rename():
    iam.update_user(UserName="Bob", NewUserName="Robert", NewPath="/")
    equal(iam.get_user(UserName="Robert")["User"]["Arn"], "arn:aws:iam::123456789012:user/Robert")
    iam.delete_user(UserName="Robert")
    with refused(iam.exceptions.NoSuchEntityException, "NoSuchEntity", 404):
        iam.delete_user(UserName="Robert")


run(create, exceptions, pages, waiters, tags, resources, rename)
