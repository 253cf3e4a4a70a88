"""What the document cannot say of a valid request."""

import math

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    """A cursor is opaque: only the lists themselves can make one that is valid."""
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        for name in ("cursor", "after"):
            case.query.pop(name, None)


@schemathesis.hook
def map_body(context, body):
    """To JSON Schema 2.0 is an integer, to the API it is a fraction; and an amount has two decimals, which
    `multipleOf` cannot say: to a validator that counts in binary, 19.99 is no multiple of 0.01."""
    return exact(body)


@schemathesis.hook
def map_query(context, query):
    """The same for amounts in a query."""
    return exact(query)


def exact(value):
    """Rounds amounts to two decimals, and turns those that are whole into integers, wherever they are."""
    if isinstance(value, float) and math.isfinite(value):
        value = round(value, 2)
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [exact(item) for item in value]
    if isinstance(value, dict):
        return {name: exact(item) for name, item in value.items()}
    return value
