"""Git's own `http-backend` over HTTP, and the ways in which a remote can fail."""
