"""A report that takes its time, and one that is too old."""

import time

from harness import client, equal, refused, run

iam = client()


def not_ready():
    for _ in range(10):
        equal(iam.generate_credential_report()["State"], "STARTED")
        try:
            iam.get_credential_report()
        except iam.exceptions.CredentialReportNotReadyException as e:
            equal(e.response["ResponseMetadata"]["HTTPStatusCode"], 404)
            break
        time.sleep(1.1)  # it was faster than this program: once more
    else:
        raise AssertionError("the report is always ready at once")
    states = []
    while not states or states[-1] != "COMPLETE":
        states.append(iam.generate_credential_report()["State"])
    equal(set(states), {"INPROGRESS", "COMPLETE"})
    equal(iam.get_credential_report()["Content"].count(b"\n"), 30001)


def expired():
    time.sleep(2.5)
    with refused(iam.exceptions.CredentialReportExpiredException, "ReportExpired", 410):
        iam.get_credential_report()
    equal(iam.generate_credential_report()["State"], "STARTED")


run(not_ready, expired)
