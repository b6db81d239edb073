"""A model server for tests that does as it is told: answers, stalls, fails, cuts, floods, misframes.

    POST /script   {"model": M, "replies": [[step, …], …]}   or "steps": one reply for all requests
    POST /release  {"model": M, "signal": S}                  lets a reply that waits for S go on
    GET  /requests?model=M                                    what was asked, oldest first
    DELETE /script?model=M                                    forgets script and requests

Each request to M takes the next reply; the last one stays. Models do not know of each other, so
tests that run side by side name their own. Steps:

    {"token": "text"} · {"tokens": ["a", "b"], "delay_ms": 20}
    {"delay_ms": 100} · {"wait_for": "signal"} · {"stall": true}
    {"status": 429, "retry_after": "1", "message": "…"}       instead of an answer; comes first
    {"cut": true}                                             ends the connection in mid-answer
    {"flood_bytes": 10000000}                                 that many bytes of tokens
    {"raw": "bytes as text"} · {"misframe": KIND}             see script.MISFRAMED
    {"error": "message"}                                      an error document in the stream
    {"finish": "length", "usage": [prompt, completion]}       usage null: none
    {"no_finish": true} · {"no_done": true}

Unless told otherwise, an answer closes with finish_reason `stop`, usage and `[DONE]`.
`/v1/embeddings` obeys status, delay, wait, stall and cut, then answers with vectors that depend on
the words alone: texts that share words are near each other. Their length is the request's `dimensions`. `/v1/rerank` obeys the same, and
{"prefer": "word"}: the texts that hold it come first.
"""
