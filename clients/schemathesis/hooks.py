"""What the document cannot say of a valid request."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """A cursor is opaque: only the lists themselves can make one that is valid."""
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        for name in ("cursor", "after"):
            case.query.pop(name, None)


@schemathesis.hook
def map_body(context, body):
    """To JSON Schema 2.0 is an integer, to the API it is a fraction."""
    return whole(body)


def whole(value):
    """Turns the floats that are whole numbers into integers, wherever they are."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {name: whole(item) for name, item in value.items()}
    return value
