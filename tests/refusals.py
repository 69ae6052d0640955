"""How an OpenAI-compatible server refuses."""


def refused(answer, status, parameter=None):
    """The message of an answer, which must be an error as OpenAI words it."""
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, parameter)
    assert error.keys() == {"message", "type", "param", "code"} and error["message"] and error["type"]
    return error["message"]
