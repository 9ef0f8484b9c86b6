"""Answers, held against the model of the service that the SDK brings."""

import re

# What AWS answers although its own model has it otherwise.
KNOWN = {"PermissionsBoundaryType": "Policy", "SourcePolicyType": "(IAM|Permissions Boundary|Resource) Policy", "Fingerprint": r"\w\w(:\w\w){15}"}


def checked(client):
    """A client whose every answer must be one that the model allows."""
    client.meta.events.register("after-call", check)
    return client


def check(model, parsed, **_):
    if parsed["ResponseMetadata"]["HTTPStatusCode"] >= 300 or model.output_shape is None:
        return
    answer = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    walk(model.output_shape, answer, model.name)
    for name, member in model.output_shape.members.items():
        # Lists are there also when they are empty, but for those of a thing.
        if member.type_name == "list" and model.name.startswith("List") and name not in answer:
            raise AssertionError("%s has no %s" % (model.name, name))


def walk(shape, value, where):
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                raise AssertionError("%s has no %s: %r" % (where, name, value))
        for name, v in value.items():
            walk(shape.members[name], v, where + "." + name)
    elif shape.type_name == "list":
        for v in value:
            walk(shape.member, v, where + "[]")
    elif shape.type_name == "map":
        for k, v in value.items():
            walk(shape.key, k, where + " key")
            walk(shape.value, v, where + " value")
    elif shape.type_name == "string" and isinstance(value, str):
        text(shape, value, where)
    elif shape.type_name == "timestamp" and value.tzinfo is None:
        raise AssertionError("%s has no time zone: %r" % (where, value))


def text(shape, value, where):
    if re.fullmatch(KNOWN.get(where.rsplit(".", 1)[-1], "(?!)"), value):
        return
    limits = shape.metadata
    if not limits.get("min", 0) <= len(value) <= limits.get("max", len(value)):
        raise AssertionError("%s is of the wrong length: %r" % (where, value))
    if shape.enum and value not in shape.enum:
        raise AssertionError("%s is none of %s: %r" % (where, shape.enum, value))
    try:
        pattern = re.compile(limits.get("pattern", ""))
    except re.error:
        return  # Java's, and not Python's
    if "pattern" in limits and not pattern.fullmatch(value):
        raise AssertionError("%s does not match %s: %r" % (where, limits["pattern"], value))
