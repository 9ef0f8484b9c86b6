"""A service that throttles: programs get through, and see it when they want to."""

from harness import ClientError, client, equal, run


def given_up():
    impatient = client(retries={"max_attempts": 0})
    refusals = 0
    for _ in range(20):
        try:
            impatient.list_users()
        except ClientError as e:
            equal(e.response["Error"]["Code"], "Throttling")
            equal(e.response["Error"]["Message"], "Rate exceeded")
            equal(e.response["ResponseMetadata"]["HTTPStatusCode"], 400)
            refusals += 1
    assert refusals > 5, refusals


def tried_again():
    for mode in "legacy", "standard":
        iam = client(retries={"max_attempts": 8, "mode": mode})
        attempts = [iam.list_users()["ResponseMetadata"]["RetryAttempts"] for _ in range(12)]
        assert sum(attempts) > 0, attempts


run(given_up, tried_again)
