"""What a client did wrong, with the status and the words that Qdrant has for it."""


class RequestError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def malformed(what: str) -> RequestError:
    return RequestError(400, f"Format error in JSON body: {what}")


def no_collection(name: str) -> RequestError:
    return RequestError(404, f"Not found: Collection `{name}` doesn't exist!")


# What the engine says when the fault lies in the request.
REQUEST_FAULTS = ("dimension", "Not existing vector", "Wrong input", "alidation", "Bad request")


def from_engine(problem: Exception) -> RequestError:
    message = str(problem)
    is_request = any(fault in message for fault in REQUEST_FAULTS)
    return RequestError(400 if is_request else 500, f"Wrong input: {message}" if is_request else message)
