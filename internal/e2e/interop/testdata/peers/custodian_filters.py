"""Prints the filters of Custodian on the resources of IAM that no policy of the files uses: resource and filter.

A filter that every resource has is printed once, without a resource, and one use of it suffices.
"""
import sys

import yaml
from c7n.provider import clouds
from c7n.resources import load_resources

used = set()


def walk(resource, filters):
    for f in filters:
        kind = f if isinstance(f, str) else f.get("type") or next(iter(f))
        if kind not in known[resource]:
            kind = "value"  # in its short form
        used.add((resource, kind))
        used.add(kind)
        if kind in ("and", "or", "not"):
            walk(resource, f[kind])


load_resources(["aws.*"])
registry = clouds["aws"].resources
resources = sorted(name for name in registry.keys() if name.startswith("iam-"))
known = {name: set(registry.get(name).filter_registry.keys()) for name in resources + ["account"]}
for path in sys.argv[1:]:
    for policy in yaml.safe_load(open(path))["policies"]:
        walk(policy["resource"].removeprefix("aws."), policy.get("filters", []))
common = set.intersection(*(known[name] for name in resources))
for kind in sorted(common - used):
    print(kind)
for name in resources:
    for kind in sorted(known[name] - common):
        if (name, kind) not in used:
            print(name, kind)
