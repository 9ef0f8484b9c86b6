"""Prints the verdicts of ScoutSuite on rows of the credential report and on users: check, user, verdict."""
import glob
import json
import sys

CHECKS = sys.argv[2:]
path = glob.glob(sys.argv[1] + "/scoutsuite-results/scoutsuite_results_*.js")[0]
iam = json.loads(open(path).read().split("\n", 1)[1])["services"]["iam"]
for check in CHECKS:
    finding = iam["findings"][check]
    # An item is the path of what is flagged: iam.credential_reports.ID or iam.users.ID, and perhaps more.
    flagged = {item.split(".")[2] for item in finding["items"]}
    of = "credential_reports" if "credential" in finding["path"] else "users"
    for key, thing in iam[of].items():
        print(check, thing["name"], "FAIL" if key in flagged else "PASS", sep="\t")
