"""What the programs beside this one share. It works with boto3 1.26 and later."""

import base64
import contextlib
import hashlib
import hmac
import os
import struct
import sys
import time
import traceback

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["ROLLCALL_URL"]
ACCOUNT = None
MODELS = None


def client(service="iam", key=None, retries=None, region="us-east-1"):
    """A client as any program makes it, but for endpoint_url."""
    extra = {}
    if key is not None:
        extra = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    config = Config(retries=retries) if retries else None
    return session().client(service, endpoint_url=URL, region_name=region, config=config, **extra)


def session():
    """A session of its own: clients of one session share their credentials. The
    models of the services are read once for all: they take most of the time."""
    global MODELS
    core = botocore.session.Session()
    if MODELS is None:
        MODELS = core.get_component("data_loader")
    core.register_component("data_loader", MODELS)
    return boto3.session.Session(botocore_session=core)


def equal(got, want):
    if got != want:
        raise AssertionError("got %r, want %r" % (got, want))


@contextlib.contextmanager
def refused(exception, code, status, message=None):
    """The block must be refused: by class, as programs catch it, and by code."""
    try:
        yield
    except exception as e:
        equal(e.response["Error"]["Code"], code)
        equal(e.response["ResponseMetadata"]["HTTPStatusCode"], status)
        if message is not None and message not in str(e):
            raise AssertionError("got %r, want %r in it" % (str(e), message))
    else:
        raise AssertionError("not refused with %s" % code)


BEGAN = int(time.time()) // 30


def code(seed, step=0):
    """The code that a device with this seed shows, RFC 6238, steps after this
    program began: on a slow machine too the codes follow each other."""
    counter = struct.pack(">Q", BEGAN + step)
    digest = hmac.new(base64.b32decode(seed), counter, hashlib.sha1).digest()
    at = digest[-1] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7FFFFFFF) % 1000000)


def run(*tests):
    for test in tests:
        try:
            test()
        except Exception:
            print("FAILED", test.__name__)
            traceback.print_exc(file=sys.stdout)
            sys.exit(1)
        print("ok", test.__name__)
