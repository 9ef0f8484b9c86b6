"""A report that takes its time, and one that is too old."""

import time

from harness import client, equal, refused, run

iam = client()
EXPIRY = 6  # seconds, as the service is told


def start_again():
    """Waits until the last report, if there is one, is old enough."""
    while iam.generate_credential_report()["State"] != "STARTED":
        time.sleep(0.1)


def not_ready():
    for _ in range(10):
        start_again()
        refusals, states = [], []
        try:
            iam.get_credential_report()
        except iam.exceptions.CredentialReportNotReadyException as e:
            refusals.append(e.response["ResponseMetadata"]["HTTPStatusCode"])
        while not states or states[-1] != "COMPLETE":
            states.append(iam.generate_credential_report()["State"])
        equal(iam.get_credential_report()["Content"].count(b"\n"), 30001)
        if refusals and len(states) > 1:
            break
        # The report was ready before this program asked: once more.
    equal((refusals, set(states)), ([404], {"INPROGRESS", "COMPLETE"}))


def expired():
    time.sleep(EXPIRY + 0.5)
    with refused(iam.exceptions.CredentialReportExpiredException, "ReportExpired", 410):
        iam.get_credential_report()
    equal(iam.generate_credential_report()["State"], "STARTED")


run(not_ready, expired)
