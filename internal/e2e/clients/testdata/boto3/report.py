"""The credential report, as programs fetch it."""

import csv
import datetime
import io

from harness import ClientError, client, equal, refused, run

iam = client()


def absent():
    with refused(iam.exceptions.CredentialReportNotPresentException, "ReportNotPresent", 410):
        iam.get_credential_report()
    try:
        iam.get_credential_report()
    except ClientError as e:
        equal(str(e), "An error occurred (ReportNotPresent) when calling the GetCredentialReport operation: Unknown")


def generate():
    iam.create_user(UserName="Bill")
    iam.create_access_key(UserName="Bill")
    started = iam.generate_credential_report()
    equal((started["State"], started["Description"]), ("STARTED", "No report exists. Starting a new report generation task"))
    # Prowler's loop: no pause, until it is complete.
    for calls in range(1, 100000):
        again = iam.generate_credential_report()
        if again["State"] == "COMPLETE":
            break
    assert "Description" not in again, again
    report = iam.get_credential_report()
    assert isinstance(report["Content"], bytes), type(report["Content"])
    equal(report["ReportFormat"], "text/csv")
    made = report["GeneratedTime"]
    assert made.tzinfo and abs(datetime.datetime.now(datetime.timezone.utc) - made) < datetime.timedelta(minutes=1), made
    equal(made.microsecond, 0)
    assert not report["Content"].endswith(b"\n") and b"\r" not in report["Content"]
    rows = list(csv.DictReader(io.StringIO(report["Content"].decode())))
    equal([row["user"] for row in rows], ["<root_account>", "Bill"])
    equal((rows[1]["access_key_1_active"], rows[1]["password_enabled"], rows[1]["mfa_active"]), ("true", "false", "false"))
    equal(rows[1]["access_key_1_last_used_date"], "N/A")


def stable():
    first = iam.get_credential_report()
    iam.create_user(UserName="Zoe")
    equal(iam.generate_credential_report()["State"], "COMPLETE")
    second = iam.get_credential_report()
    equal((second["Content"], second["GeneratedTime"]), (first["Content"], first["GeneratedTime"]))


run(absent, generate, stable)
