"""Prints what each check of ScoutSuite on IAM flags: check, name, FAIL. A check that flags nothing has one line, PASS."""
import glob
import json
import sys

path = glob.glob(sys.argv[1] + "/scoutsuite-results/scoutsuite_results_*.js")[0]
iam = json.loads(open(path).read().split("\n", 1)[1])["services"]["iam"]


def name(item):
    """The names on the path of what is flagged, such as iam.roles.ID.inline_policies.ID."""
    names, thing = [], iam
    for part in item.split(".")[1:]:
        if not isinstance(thing, dict) or part not in thing:
            break
        thing = thing[part]
        if isinstance(thing, dict) and "name" in thing:
            names.append(thing["name"])
    return "/".join(names) or item.split(".")[1]


for check, finding in sorted(iam["findings"].items()):
    if finding.get("service", "IAM") != "IAM":
        continue
    for flagged in sorted({name(item) for item in finding["items"]}):
        print(check, flagged, "FAIL", sep="\t")
    if not finding["items"]:
        print(check, "-", "PASS", sep="\t")
