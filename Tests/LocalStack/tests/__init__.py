"""The local stack's own tests: the engine's server by the official client, the models by HTTP."""
